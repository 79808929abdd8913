//! Every way in which a call can go wrong, before or after it was done.
use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::{Fault, Shared};

const LONG: Duration = Duration::from_secs(3600);

/// Counts the call, and has it fail when that was asked for.
pub(crate) async fn inject(State(world): State<Shared>, request: Request, next: Next) -> Response {
    match world.called(request.uri().path()) {
        None => next.run(request).await,
        Some(Fault::Delay(millis)) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            next.run(request).await
        }
        Some(Fault::Hang) => {
            tokio::time::sleep(LONG).await;
            StatusCode::OK.into_response()
        }
        Some(Fault::Code(code)) => said(code),
        Some(Fault::Sms(code)) => {
            let tencent = json!({ "Response": { "Error": { "Code": code, "Message": "fake" }, "RequestId": "r" } });
            let aliyun = json!({ "Code": code, "Message": "fake", "RequestId": "r" });
            let is_tencent = request.headers().contains_key("x-tc-action");
            axum::Json(if is_tencent { tencent } else { aliyun }).into_response()
        }
        Some(Fault::Reset) => broken_off(),
        Some(Fault::DupAccept) => {
            next.run(request).await;
            broken_off()
        }
        Some(Fault::Html502) => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body></html>";
            (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        Some(Fault::Empty) => StatusCode::OK.into_response(),
        Some(Fault::Gbk) => {
            b"{\"errcode\":-1,\"errmsg\":\"\xcf\xb5\xcd\xb3\xb7\xb1\xc3\xa6\"}".to_vec().into_response()
        }
        Some(Fault::Truncated) => "{\"errcode\":0,\"errm".into_response(),
        Some(Fault::Http500) => (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response(),
        Some(Fault::Slow) => slow(next.run(request).await),
    }
}

/// WeChat's way of saying no, as `text/plain`.
pub(crate) fn said(code: i64) -> Response {
    let body = json!({ "errcode": code, "errmsg": format!("fake {code} rid: 6512591d-04ed81b7-{code}") });
    ([(header::CONTENT_TYPE, "text/plain")], body.to_string()).into_response()
}

/// Promises a length and closes before it.
fn broken_off() -> Response {
    let part: Result<Bytes, std::io::Error> = Ok(Bytes::from_static(b"{\"errcode\""));
    let end = Err(std::io::Error::other("reset"));
    let body = Body::from_stream(stream::iter([part, end]));
    ([(header::CONTENT_LENGTH, "1000")], body).into_response()
}

/// Ten bytes a second.
fn slow(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let bytes = body.into_data_stream().flat_map(|chunk| {
        let bytes: Vec<_> =
            chunk.unwrap_or_default().iter().map(|byte| Ok::<_, Infallible>(Bytes::from(vec![*byte]))).collect();
        stream::iter(bytes).then(async |byte| {
            tokio::time::sleep(Duration::from_millis(100)).await;
            byte
        })
    });
    Response::from_parts(parts, Body::from_stream(bytes))
}
