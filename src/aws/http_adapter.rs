//! Sends the AWS SDK's requests over the bridge's own HTTP client.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::http_client::PooledClient;

/// Sets no time limits, because the SDK puts its own around every attempt.
#[derive(Clone)]
pub(super) struct SdkHttpClient(Arc<PooledClient>);

impl SdkHttpClient {
    pub(super) fn new(client: Arc<PooledClient>) -> Self {
        Self(client)
    }
}

impl fmt::Debug for SdkHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SdkHttpClient")
    }
}

impl HttpClient for SdkHttpClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SdkHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&client.lease(), request).await })
    }
}

async fn exchange(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    // The operations that the bridge uses never stream a body.
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

/// Drops the URL, because the error may be logged.
fn failed(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}
