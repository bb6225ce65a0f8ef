//! What a proxy must do with a request.
