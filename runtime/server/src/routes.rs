//! The routes of a server, and the form of their answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, post};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use sente::Codec;
use sente_proto::frame::Frame;
use sente_proto::{Refused, RefusedReason, wire};

use crate::hub::Service;
use crate::{Refusal, Server, poll, ws};

impl Server {
    /// The routes, to be merged into any router: `{prefix}/ws` and `{prefix}/poll`.
    ///
    /// They work below `nest`, behind middleware, and in routers with any state. They keep the
    /// handlers alive.
    ///
    /// ```
    /// use axum::Router;
    /// use sente_server::Server;
    ///
    /// let sente = Server::builder().build();
    /// let app: Router = Router::new().merge(sente.routes("/sente"));
    /// ```
    pub fn routes<S: Clone + Send + Sync + 'static>(&self, prefix: &str) -> Router<S> {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("/{prefix}")
        };
        let Some(service) = self.service() else {
            tracing::error!("the server of these routes is gone; they answer 404");
            return Router::new();
        };
        Router::new()
            .route(&format!("{prefix}/ws"), any(ws::upgrade))
            .route(
                &format!("{prefix}/poll"),
                post(poll::exchange).options(preflight),
            )
            .with_state(service)
    }
}

/// A browser asks whether a page of another origin may poll.
async fn preflight(State(service): State<Arc<Service>>, request: Request) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    service
        .guard
        .allow_more(request.headers(), response.headers_mut());
    response
}

/// Whether frames are text or binary. Known before the codec is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Binary,
    Text,
}

impl Form {
    const BINARY: &'static str = "application/vnd.sente";
    const TEXT: &'static str = "application/vnd.sente+json";

    /// By the content type of a request. No form of a page can send these.
    pub(crate) fn of(request: &Parts) -> Option<Self> {
        let value = request.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case(Self::BINARY) {
            Some(Self::Binary)
        } else if essence.eq_ignore_ascii_case(Self::TEXT) && text_codec().is_some() {
            Some(Self::Text)
        } else {
            None
        }
    }

    /// A codec of this form, to read and write frames without payloads.
    pub(crate) fn codec(self) -> Codec {
        match self {
            Self::Binary => Codec::Bincode,
            Self::Text => text_codec().unwrap_or_default(),
        }
    }

    pub(crate) fn is_of(self, codec: Codec) -> bool {
        codec.is_text() == (self == Self::Text)
    }
}

fn text_codec() -> Option<Codec> {
    Codec::ALL.iter().copied().find(|codec| codec.is_text())
}

/// An answer of frames.
pub(crate) fn answer(status: StatusCode, form: Form, body: Vec<u8>) -> Response {
    let content_type = match form {
        Form::Binary => Form::BINARY,
        Form::Text => Form::TEXT,
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    unstored(response)
}

/// Nobody between server and client is to keep it.
pub(crate) fn unstored(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer of one frame.
pub(crate) fn answer_frame(status: StatusCode, form: Form, frame: &Frame) -> Response {
    let mut body = Vec::new();
    wire::append_to_body(form.codec(), frame, &mut body);
    answer(status, form, body)
}

/// A refusal: the application's own answer, or one by the refusal's status.
pub(crate) fn answer_refusal(service: &Service, form: Form, refusal: Refusal) -> Response {
    match refusal.response {
        Some(response) => {
            service.hub.counts.refuse(refusal.refused.reason);
            unstored(*response)
        }
        None => answer_refused(service, form, &refusal.refused),
    }
}

/// A refusal, by its own status.
pub(crate) fn answer_refused(service: &Service, form: Form, refused: &Refused) -> Response {
    service.hub.counts.refuse(refused.reason);
    let mut frame = Vec::new();
    wire::encode_refused(form == Form::Text, refused, &mut frame);
    let mut body = Vec::new();
    wire::append_encoded_to_body(form.codec(), &frame, &mut body);
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::FORBIDDEN);
    let mut response = answer(status, form, body);
    if let Some(after) = refused.retry_after {
        // Not earlier than the frame says.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        let seconds = HeaderValue::from(seconds);
        response
            .headers_mut()
            .insert(http::header::RETRY_AFTER, seconds);
    }
    response
}

/// A request that is none of a client's.
pub(crate) fn malformed(status: StatusCode, message: &str) -> Refused {
    Refused {
        status: status.as_u16(),
        reason: RefusedReason::Malformed,
        message: message.to_owned(),
        retry_after: None,
        codecs: Vec::new(),
    }
}
