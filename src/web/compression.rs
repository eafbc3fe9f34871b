//! Answers compressed with gzip, for clients that accept it.

use super::accept::accepts_gzip;
use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue, VARY},
    web::{self, Bytes},
};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::Write,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Shorter bodies stay as they are, in bytes: they fit into one packet.
const SHORT: usize = 1_000;
/// Longer bodies are compressed on a thread that serves no requests, in bytes.
const LONG: usize = 128 * 1024;

/// Compresses an answer if the client accepts that and the answer is worth it.
pub async fn compressed(request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    let length = match response.body().size() {
        BodySize::Sized(length) => usize::try_from(length).ok().filter(|length| *length >= SHORT),
        BodySize::Stream => None,
        BodySize::None => return response,
    };
    let is_stream = response.body().size() == BodySize::Stream;
    if (length.is_none() && !is_stream) || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
    if !accepts_gzip(request) {
        return response;
    }
    let (mut response, body) = response.into_parts();
    let body = match length {
        None => BoxBody::new(Gzip::of(body)),
        Some(length) => match body.try_into_bytes() {
            Ok(bytes) => match gzip(bytes.clone(), length).await {
                Some(shorter) => BoxBody::new(shorter),
                None => return response.set_body(BoxBody::new(bytes)),
            },
            Err(body) => return response.set_body(body),
        },
    };
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().remove(CONTENT_LENGTH);
    response.set_body(body)
}

/// Returns none if it cannot be compressed.
async fn gzip(bytes: Bytes, length: usize) -> Option<Bytes> {
    let work = move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(length / 4), Compression::fast());
        encoder.write_all(&bytes).ok()?;
        encoder.finish().ok()
    };
    let compressed = if length > LONG { web::block(work).await.ok()? } else { work() };
    compressed.map(Bytes::from)
}

/// A streamed body, compressed piece by piece.
struct Gzip {
    body: BoxBody,
    /// None once the body has ended.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Gzip {
    fn of(body: BoxBody) -> Self {
        Self { body, encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())) }
    }
}

impl MessageBody for Gzip {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        loop {
            if self.encoder.is_none() {
                return Poll::Ready(None);
            }
            let next = ready!(Pin::new(&mut self.body).poll_next(context));
            let Some(mut encoder) = self.encoder.take() else { return Poll::Ready(None) };
            match next {
                Some(Ok(bytes)) => {
                    // Each piece is sent at once: its reader may be waiting for it.
                    encoder.write_all(&bytes)?;
                    encoder.flush()?;
                    let piece = std::mem::take(encoder.get_mut());
                    self.encoder = Some(encoder);
                    if !piece.is_empty() {
                        return Poll::Ready(Some(Ok(piece.into())));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(Some(Ok(encoder.finish()?.into()))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{body, http::header::ACCEPT_ENCODING, rt, test::TestRequest};
    use flate2::read::GzDecoder;
    use futures_util::stream;
    use std::io::Read;

    fn sent(encoding: &str, response: HttpResponse) -> (Option<String>, Vec<u8>) {
        rt::System::new().block_on(async {
            let asking = TestRequest::default().insert_header((ACCEPT_ENCODING, encoding)).to_http_request();
            let response = compressed(&asking, response).await;
            let encoding = response.headers().get(CONTENT_ENCODING).map(|value| value.to_str().unwrap().to_owned());
            let body = body::to_bytes(response.into_body()).await.map_err(|_| "no body").unwrap();
            (encoding, body.to_vec())
        })
    }

    fn unpacked(bytes: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
        text
    }

    #[test]
    fn long_bodies_are_compressed_for_those_who_accept_it() {
        for length in [SHORT, LONG + 1] {
            let text = "a".repeat(length);
            let (encoding, body) = sent("br, gzip", HttpResponse::Ok().body(text.clone()));
            assert_eq!((encoding.as_deref(), unpacked(&body)), (Some("gzip"), text.clone()));
            for refused in ["", "br", "gzip;q=0", "gzip; q=0.0"] {
                assert_eq!(
                    sent(refused, HttpResponse::Ok().body(text.clone())),
                    (None, text.clone().into()),
                    "{refused}"
                );
            }
        }
        assert_eq!(sent("gzip", HttpResponse::Ok().body("short")), (None, b"short".to_vec()));
    }

    #[test]
    fn a_streamed_body_is_compressed_piece_by_piece() {
        let pieces = || stream::iter(["one,", "", "two"].map(|text| Ok::<_, actix_web::Error>(Bytes::from(text))));
        let (encoding, body) = sent("gzip", HttpResponse::Ok().streaming(pieces()));
        assert_eq!((encoding.as_deref(), unpacked(&body).as_str()), (Some("gzip"), "one,two"));
        assert_eq!(sent("", HttpResponse::Ok().streaming(pieces())), (None, b"one,two".to_vec()));
    }
}
