//! The AWS SDK's requests over the bridge's own HTTP client.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::http_client::Neighbour;

/// Time limits are the SDK's own, around every attempt.
#[derive(Clone)]
pub(super) struct Connector(Arc<Neighbour>);

impl Connector {
    pub(super) fn new(neighbour: Arc<Neighbour>) -> Self {
        Self(neighbour)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let neighbour = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&neighbour.lease(), request).await })
    }
}

async fn exchange(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    // The calls of the bridge have bodies in memory; a streaming one would have no bytes to give.
    let body = body.bytes().ok_or_else(|| ConnectorError::user("a streaming body".into()))?.to_vec();
    let request =
        reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(|error| ConnectorError::user(error.into()))?;
    let reply = client.execute(request).await.map_err(failed)?;
    let (status, headers) = (reply.status(), reply.headers().clone());
    let mut response = http::Response::new(SdkBody::from(reply.bytes().await.map_err(failed)?));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}

/// Without its URL: the log may quote it.
fn failed(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
