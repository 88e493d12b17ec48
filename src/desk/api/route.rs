//! One way of asking: its address, what may be sent, every answer, and who answers. Router and document are both made of these, so
//! that neither can say what the other does not.

use std::sync::Arc;

use axum::{
    extract::DefaultBodyLimit,
    handler::Handler,
    http::StatusCode,
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::desk::Desk;

/// The longest JSON object that is taken, where nothing else is said, in bytes.
const LONGEST: usize = 256 << 10;

/// The schema of a type.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Body {
    None,
    Json(Shape),
    /// Bytes of that media type.
    Bytes(&'static str),
}

/// What an answer holds.
#[derive(Clone, Copy)]
pub(super) enum Content {
    None,
    Json(Shape),
    Problem,
    /// Text of that media type.
    Text(&'static str),
}

/// One of the answers.
#[derive(Clone, Copy)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) said: &'static str,
    pub(super) content: Content,
}

/// One way of asking.
pub(super) struct Route {
    /// In small letters, as the document has it.
    pub(super) method: &'static str,
    /// Below `/api/v1`.
    pub(super) path: &'static str,
    /// By which generated programs call it.
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// The parameters behind the `?`: a struct, each field one of them.
    pub(super) query: Option<Shape>,
    pub(super) body: Body,
    pub(super) answers: Vec<Answered>,
    /// Whether anybody may ask.
    pub(super) is_open: bool,
    limit: usize,
    handler: MethodRouter<Arc<Desk>>,
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn whole<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

impl Route {
    fn of<H, T>(
        filter: MethodFilter,
        method: &'static str,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        Self {
            method,
            path,
            name,
            summary,
            query: None,
            body: Body::None,
            answers: Vec::new(),
            is_open: false,
            limit: LONGEST,
            handler: on(filter, handler),
        }
    }

    pub(super) fn get<H, T>(path: &'static str, name: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        Self::of(MethodFilter::GET, "get", path, name, summary, handler)
    }

    pub(super) fn post<H, T>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        Self::of(MethodFilter::POST, "post", path, name, summary, handler)
    }

    pub(super) fn put<H, T>(path: &'static str, name: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        Self::of(MethodFilter::PUT, "put", path, name, summary, handler)
    }

    pub(super) fn patch<H, T>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        Self::of(MethodFilter::PATCH, "patch", path, name, summary, handler)
    }

    pub(super) fn delete<H, T>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<Desk>>,
        T: 'static,
    {
        Self::of(MethodFilter::DELETE, "delete", path, name, summary, handler)
    }

    /// What may stand behind the `?`.
    pub(super) fn asks<T: JsonSchema>(self) -> Self {
        Self { query: Some(whole::<T>), ..self }
    }

    /// A JSON object is sent.
    pub(super) fn sends<T: JsonSchema>(self) -> Self {
        Self { body: Body::Json(shape::<T>), ..self }
    }

    /// Bytes are sent.
    pub(super) fn sends_bytes(self, media_type: &'static str) -> Self {
        Self { body: Body::Bytes(media_type), ..self }
    }

    /// So many bytes may be sent.
    pub(super) fn up_to(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    fn answers(mut self, status: u16, said: &'static str, content: Content) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        self.answers.push(Answered { status, said, content });
        self
    }

    /// It is answered with a JSON object.
    pub(super) fn gives<T: JsonSchema>(self, status: u16, said: &'static str) -> Self {
        self.answers(status, said, Content::Json(shape::<T>))
    }

    /// It is answered with a text.
    pub(super) fn gives_text(self, media_type: &'static str, said: &'static str) -> Self {
        self.answers(200, said, Content::Text(media_type))
    }

    /// It is answered without a body.
    pub(super) fn gives_nothing(self, said: &'static str) -> Self {
        self.answers(204, said, Content::None)
    }

    /// It may be refused, besides what may happen to every request.
    pub(super) fn refuses(self, status: u16, said: &'static str) -> Self {
        self.answers(status, said, Content::Problem)
    }

    /// Anybody may ask.
    pub(super) fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    /// The parameters of the path.
    pub(super) fn places(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// All answers, with those that may come to every request.
    pub(super) fn every_answer(&self) -> Vec<Answered> {
        let mut answers = self.answers.clone();
        let mut refuses = |status: StatusCode, said: &'static str| {
            if answers.iter().all(|answer| answer.status != status) {
                answers.push(Answered { status, said, content: Content::Problem });
            }
        };
        if !self.is_open {
            refuses(StatusCode::UNAUTHORIZED, "No token was shown, or one that does not hold.");
            refuses(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many tokens that do not hold came from this network.",
            );
            if self.method != "get" {
                refuses(StatusCode::FORBIDDEN, "The token may only read.");
            }
            refuses(StatusCode::INTERNAL_SERVER_ERROR, "Something of ours does not work; the log says more.");
        }
        if self.places().next().is_some() {
            refuses(StatusCode::NOT_FOUND, "There is no such thing.");
        }
        if self.query.is_some() {
            refuses(StatusCode::UNPROCESSABLE_ENTITY, "What was sent cannot be.");
        }
        if !matches!(self.body, Body::None) {
            refuses(StatusCode::BAD_REQUEST, "What was sent cannot be read.");
            refuses(StatusCode::PAYLOAD_TOO_LARGE, "More was sent than may be.");
            refuses(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is of another type than is taken here.");
            refuses(StatusCode::UNPROCESSABLE_ENTITY, "What was sent cannot be.");
        }
        answers.sort_by_key(|answer| answer.status);
        answers
    }

    /// Who answers.
    pub(super) fn into_handler(self) -> MethodRouter<Arc<Desk>> {
        self.handler.layer(DefaultBodyLimit::max(self.limit))
    }
}
