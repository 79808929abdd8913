//! How a handler becomes a route: behind a pointer, so that what the framework builds around a handler is built once.
use std::sync::Arc;

use axum::{
    extract::Request,
    handler::Handler,
    response::Response,
    routing::{self, MethodRouter},
};
use futures_util::future::BoxFuture;
use utoipa::{
    __dev::{SchemaReferences, Tags},
    Path,
    openapi::path::Paths,
};
use utoipa_axum::{PathItemExt, router::UtoipaMethodRouter};

use super::App;

/// A handler behind a pointer. The framework makes some hundred functions for each type of handler, which the compiler
/// proves and writes each by itself: with one type for all it needs half the time.
#[derive(Clone)]
pub struct Boxed(Arc<dyn Fn(Request, App) -> BoxFuture<'static, Response> + Send + Sync>);

impl Handler<(), App> for Boxed {
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, app: App) -> Self::Future {
        (self.0)(request, app)
    }
}

/// A function of extractors, behind a pointer.
pub fn boxed<T, H>(handler: H) -> Boxed
where
    H: Handler<T, App, Future = BoxFuture<'static, Response>>,
{
    Boxed(Arc::new(move |request, app| handler.clone().call(request, app)))
}

/// What answers GET.
pub fn get<T, H>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App, Future = BoxFuture<'static, Response>>,
{
    routing::get(boxed(handler))
}

/// What answers POST.
pub fn post<T, H>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App, Future = BoxFuture<'static, Response>>,
{
    routing::post(boxed(handler))
}

/// Adds an operation to those of its path: what [`routes!`] does with each.
pub fn add<P: Path + SchemaReferences + for<'t> Tags<'t>>(operations: &mut UtoipaMethodRouter<App>, handler: Boxed) {
    let (schemas, paths, router) = operations;
    P::schemas(schemas);
    let mut operation = P::operation();
    operation.tags.get_or_insert_default().extend(P::tags().iter().map(ToString::to_string));
    let methods = P::methods();
    for method in &methods {
        *router = std::mem::take(router).on(method.to_method_filter(), handler.clone());
    }
    paths.add_path_operation(P::path(), methods, operation);
}

/// No operations yet.
pub fn no_operations() -> UtoipaMethodRouter<App> {
    (Vec::new(), Paths::new(), MethodRouter::new())
}

/// The operations of one path, each a handler with `#[utoipa::path]`.
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {{
        let mut operations = $crate::app::routing::no_operations();
        utoipa_axum::paste! { $(
            $crate::app::routing::add::<[<__path_ $handler>]>(&mut operations, $crate::app::routing::boxed($handler));
        )+ }
        operations
    }};
}
pub(crate) use routes;
