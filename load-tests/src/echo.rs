//! A server that says back what it is told, by the product's own frame code: for conformance suites, which want one.
use std::{io::Write, net::SocketAddr, time::Duration};

use liusheng::live::frames::{self, Event, Reader};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The suite's longest message has 16 MiB.
const LONGEST: usize = 32 * 1024 * 1024;
const READ: usize = 64 * 1024;
/// How long the other side may take to end a connection that is over.
const GOODBYE: Duration = Duration::from_secs(3);

/// Prints its address and serves until it is ended.
pub(crate) async fn serve(listen: SocketAddr) -> std::io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // the other side may go at any moment
            echo(stream).await.ok();
        });
    }
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut came = handshake(&mut stream).await?;
    let mut reader = Reader::new(LONGEST);
    let mut buffer = vec![0; READ];
    loop {
        let mut input = came.as_slice();
        loop {
            let answer = match reader.next(&mut input) {
                Ok(None) => break,
                Ok(Some(Event::Text(text))) => frames::text(&text),
                Ok(Some(Event::Binary(bytes))) => frames::binary(&bytes),
                Ok(Some(Event::Ping(content))) => frames::pong(&content),
                Ok(Some(Event::Pong)) => continue,
                Ok(Some(Event::Close(code))) => return end(stream, frames::close(code, "")).await,
                Err(broken) => return end(stream, frames::close(Some(broken.code()), "")).await,
            };
            stream.write_all(&answer).await?;
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        came = buffer[..count].to_vec();
    }
}

/// Says goodbye, then reads on until the other side has ended too, so that the end is clean.
async fn end(mut stream: TcpStream, goodbye: impl AsRef<[u8]>) -> std::io::Result<()> {
    stream.write_all(goodbye.as_ref()).await?;
    stream.shutdown().await?;
    let mut rest = [0; READ];
    let gone = async { while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {} };
    tokio::time::timeout(GOODBYE, gone).await.ok();
    Ok(())
}

/// Answers the request; what came behind it.
async fn handshake(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut came, mut buffer) = (Vec::new(), [0; 2048]);
    let head = loop {
        if let Some(place) = came.windows(4).position(|four| four == b"\r\n\r\n") {
            break place + 4;
        }
        match stream.read(&mut buffer).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => came.extend_from_slice(&buffer[..count]),
        }
    };
    let request = String::from_utf8_lossy(&came[..head]).into_owned();
    let mut fields = request.lines().filter_map(|line| line.split_once(':'));
    let key = fields.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key")).map(|(_, key)| key.trim());
    let key = key.ok_or(std::io::ErrorKind::InvalidData)?;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(came.split_off(head))
}
