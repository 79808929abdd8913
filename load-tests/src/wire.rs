//! A phone's end of a websocket that costs the machine little: no buffer of its own while nothing comes.
use std::{cell::RefCell, io::ErrorKind, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Outcome;

const BUFFER: usize = 64 * 1024;
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// A socket past its handshake.
pub(crate) struct Wire {
    stream: TcpStream,
    /// The beginning of a frame that has not come whole.
    rest: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let hello = format!(
            "GET /connection/websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(hello.as_bytes()).await?;
        let mut head = Vec::new();
        // nothing comes behind the head before we speak
        while !head.ends_with(b"\r\n\r\n") {
            let mut piece = [0; 512];
            match stream.read(&mut piece).await? {
                0 => return Err("hung up in the handshake".into()),
                count => head.extend(piece.iter().take(count)),
            }
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned().into());
        }
        Ok(Self { stream, rest: Vec::new() })
    }

    /// Sends text; masked by zeros, which the standard allows and costs nothing.
    pub(crate) async fn say(&mut self, text: &str) -> Outcome<()> {
        let mut frame = vec![TEXT];
        match (u8::try_from(text.len()), u16::try_from(text.len())) {
            (Ok(length @ 0..=125), _) => frame.push(0x80 | length),
            (_, Ok(length)) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            _ => return Err("too long for a phone".into()),
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await?;
        Ok(())
    }

    /// Waits for text and hands over all that came; `false` when the socket has ended.
    pub(crate) async fn hear(&mut self, mut take: impl FnMut(&str)) -> bool {
        loop {
            if self.stream.readable().await.is_err() {
                return false;
            }
            let (stream, rest) = (&self.stream, &mut self.rest);
            let heard = SHARED.with_borrow_mut(|buffer| match stream.try_read(buffer) {
                Ok(0) => Some(false),
                Ok(count) => {
                    let new = buffer.get(..count).unwrap_or_default();
                    if rest.is_empty() {
                        let Some(used) = frames(new, &mut take) else { return Some(false) };
                        rest.extend(new.iter().skip(used));
                    } else {
                        rest.extend(new);
                        let Some(used) = frames(rest, &mut take) else { return Some(false) };
                        rest.drain(..used);
                    }
                    if rest.is_empty() {
                        *rest = Vec::new();
                    }
                    Some(true)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                Err(_) => Some(false),
            });
            if let Some(is_there) = heard {
                return is_there;
            }
        }
    }
}

/// Hands over the whole frames at the front; how many bytes they have. `None`: the other side closes.
fn frames(bytes: &[u8], take: &mut impl FnMut(&str)) -> Option<usize> {
    let mut used = 0;
    while let Some(frame) = bytes.get(used..).filter(|frame| frame.len() >= 2) {
        let (head, length) = match (frame[1] & 0x7f, frame) {
            (126, [_, _, a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
            (127, [_, _, _, _, _, _, a, b, c, d, ..]) => {
                (10, usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX))
            }
            (126 | 127, _) => break,
            (short, _) => (2, usize::from(short)),
        };
        let Some(content) = frame.get(head..head + length) else { break };
        if frame[0] == CLOSE {
            return None;
        }
        take(std::str::from_utf8(content).unwrap_or_default());
        used += head + length;
    }
    Some(used)
}
