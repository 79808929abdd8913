//! A kept-alive HTTP connection that costs the machine little, so that the server is what is measured.
use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::Outcome;

/// One connection; a request at a time.
pub(crate) struct Line {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Line {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Outcome<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        self.ask(head.as_bytes()).await
    }

    /// As somebody with this token.
    pub(crate) async fn get_as(&mut self, path: &str, token: &str) -> Outcome<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n", self.address);
        self.ask(head.as_bytes()).await
    }

    pub(crate) async fn post(&mut self, path: &str, token: &str, body: &Value) -> Outcome<Answer> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        );
        self.ask(request.as_bytes()).await
    }

    /// A file as a form with one part sends it.
    pub(crate) async fn upload(&mut self, path: &str, token: &str, (name, file): (&str, &[u8])) -> Outcome<Answer> {
        const PART: &str = "part-of-a-load-test";
        let before = format!(
            "--{PART}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        let after = format!("\r\n--{PART}--\r\n");
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-type: multipart/form-data; boundary={PART}\r\ncontent-length: {}\r\n\r\n{before}",
            self.address,
            before.len() + file.len() + after.len(),
        )
        .into_bytes();
        request.extend_from_slice(file);
        request.extend_from_slice(after.as_bytes());
        self.ask(&request).await
    }

    /// Asks; once more where the server had closed the connection because nothing was said on it for a while.
    async fn ask(&mut self, request: &[u8]) -> Outcome<Answer> {
        let mut head = String::new();
        let asked = self.stream.write_all(request).await;
        if asked.is_err() || self.stream.read_line(&mut head).await? == 0 {
            *self = Self::open(self.address).await?;
            self.stream.write_all(request).await?;
            self.stream.read_line(&mut head).await?;
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("no status line")?;
        let mut length = 0;
        loop {
            head.clear();
            if self.stream.read_line(&mut head).await? == 0 {
                return Err("the server hung up".into());
            }
            if head.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) =
                head.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().map_err(|error| format!("{name}: {error}"))?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Answer { status, body })
    }
}
