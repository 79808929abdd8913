//! Files of media as they are given: piece by piece, each opened before it goes out, so that who listens costs a piece of memory
//! and not a file.
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;

use super::{
    Media,
    files::{PLAYED, THUMBNAIL, WHOLE, name, played, small},
};
use crate::{
    app::App,
    error::{Code, Error, Result},
    ids::MediaId,
    keys::{DataKey, Pieces},
    seals,
    shelf::Shelf,
};

/// Which of the files of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// As it is kept.
    Whole,
    /// The small picture of a photo.
    Small,
    /// The copy of a clip that every phone plays.
    Played,
}

impl Which {
    /// Its name on the shelf, and what is bound to it.
    fn of(self, id: MediaId) -> (String, &'static str) {
        let name = name(id);
        match self {
            Self::Whole => (name, WHOLE),
            Self::Small => (small(&name), THUMBNAIL),
            Self::Played => (played(&name), PLAYED),
        }
    }

    /// What lies there; a copy may have been lost, anything else may not.
    fn there<T>(self, found: Option<T>) -> Result<T> {
        if found.is_none() && self == Self::Played {
            return Err(Code::NotFound.into());
        }
        found.ok_or_else(|| Error::broken("a file that a row names is not there"))
    }
}

/// What seals the files of a row; `None` for those kept before files were sealed.
///
/// # Errors
/// `erased` when it was destroyed.
pub(super) async fn key_of(app: &App, row: &Media) -> Result<Option<DataKey>> {
    match row.key_id {
        Some(key) => Ok(Some(seals::queries::open(app.store.read(), &app.keys, key).await?.ok_or(Code::Erased)?)),
        None => Ok(None),
    }
}

/// The bytes of a file as they were kept, opened, all of them.
///
/// # Errors
/// `erased` when its key was destroyed, `not_found` for a copy that is not there, `media_unavailable`, or the disk's.
pub(super) async fn read(app: &App, row: &Media, which: Which) -> Result<Vec<u8>> {
    let (name, place) = which.of(row.id);
    let key = key_of(app, row).await?;
    let kept = which.there(app.shelf.read(&name).await?)?;
    let Some(key) = key else { return Ok(kept) };
    tokio::task::spawn_blocking(move || key.open_file(place, kept)).await.map_err(Error::broken)?
}

/// A file that is about to be given.
pub(super) enum Given {
    /// Kept before files were sealed in pieces.
    Whole(Bytes),
    /// As files are sealed now.
    Pieces(Box<InPieces>),
}

/// A file of which a piece at a time is opened.
pub(super) struct InPieces {
    shelf: Shelf,
    which: Which,
    id: MediaId,
    key: Arc<DataKey>,
    pieces: Pieces,
    /// Came with how it was sealed.
    first: Option<Bytes>,
}

/// Opens a file as far as its first piece.
///
/// # Errors
/// As [`read`].
pub(super) async fn open(app: &App, row: &Media, which: Which) -> Result<Given> {
    let (name, _) = which.of(row.id);
    let Some(key) = key_of(app, row).await? else { return Ok(Given::Whole(read(app, row, which).await?.into())) };
    let mut begins = which.there(app.shelf.part(&name, (0, Pieces::FIRST)).await?)?;
    let Some(pieces) = Pieces::of(&begins.bytes, begins.length) else {
        return Ok(Given::Whole(read(app, row, which).await?.into()));
    };
    let (head, _) = Pieces::place(0);
    let sealed = begins.bytes.split_off(usize::try_from(head).map_err(Error::broken)?);
    let mut file = InPieces { shelf: app.shelf.clone(), which, id: row.id, key: Arc::new(key), pieces, first: None };
    file.first = Some(file.opened(0, sealed).await?);
    Ok(Given::Pieces(Box::new(file)))
}

impl InPieces {
    async fn opened(&self, number: u32, sealed: Vec<u8>) -> Result<Bytes> {
        let (key, pieces, (_, place)) = (Arc::clone(&self.key), self.pieces, self.which.of(self.id));
        let opening = tokio::task::spawn_blocking(move || key.open_piece(place, (&pieces, number), sealed));
        opening.await.map_err(Error::broken)?.map(Bytes::from)
    }

    async fn piece(&mut self, number: u32) -> Result<Bytes> {
        match self.first.take() {
            Some(first) if number == 0 => Ok(first),
            _ => {
                let (name, _) = self.which.of(self.id);
                let sealed = self.which.there(self.shelf.part(&name, Pieces::place(number)).await?)?;
                self.opened(number, sealed.bytes).await
            }
        }
    }

    /// What follows this byte up to the last one that is wanted, as far as one piece holds it.
    async fn bytes_at(&mut self, at: u64, last: u64) -> Result<Bytes> {
        let (number, before) = Pieces::holding(at);
        let piece = self.piece(number).await?;
        let left = usize::try_from(last - at).unwrap_or(usize::MAX).saturating_add(1);
        let part = piece.slice(before.min(piece.len())..before.saturating_add(left).min(piece.len()));
        if part.is_empty() { Err(Error::broken("a piece ends before the file does")) } else { Ok(part) }
    }
}

impl Given {
    /// Bytes of the file.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Pieces(file) => file.pieces.length(),
        }
    }

    /// From the first to the last byte, both included. What cannot be read or opened on the way breaks off: whoever gets less
    /// than was announced asks for the rest.
    pub(super) fn body(self, first: u64, last: u64) -> Body {
        let length = self.length();
        match self {
            Self::Whole(bytes) => {
                let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Body::from(bytes.slice(place(first)..place(last.saturating_add(1))))
            }
            Self::Pieces(file) => {
                Body::from_stream(stream::try_unfold((file, first), move |(mut file, at)| async move {
                    if at > last || at >= length {
                        return Ok(None);
                    }
                    match file.bytes_at(at, last).await {
                        Ok(part) => {
                            let next = at + part.len() as u64;
                            Ok(Some((part, (file, next))))
                        }
                        Err(error) => {
                            tracing::warn!(%error, media = %file.id, "a file broke off while it was sent");
                            Err(std::io::Error::other(error.to_string()))
                        }
                    }
                }))
            }
        }
    }
}
