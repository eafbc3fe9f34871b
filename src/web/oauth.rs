//! OAuth endpoints for other systems: introspection (RFC 7662), revocation (RFC 7009) and the metadata with which
//! standard clients find them (RFC 8414, RFC 9728). Errors have the form of RFC 6749, section 5.2.

mod caller;
mod introspection;
mod metadata;
mod revocation;

pub use caller::OAuthError;
pub use introspection::{Active, Batch, asker, introspect, introspect_batch};
pub use metadata::{resource_metadata, server_metadata};
pub use revocation::revoke;
