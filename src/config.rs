//! The configuration of the functions, from environment variables.

use std::path::PathBuf;

use jiff::SignedDuration;
use url::{Host, Url};

use crate::aws::Aws;
use crate::environment::{ConfigError, Environment};
use crate::notify::PrivateHosts;
use crate::order::{Decimal, parse_tax_rates};

/// What every function needs.
#[derive(Debug)]
pub struct Config {
    /// `ORDERS_TABLE`
    pub orders_table: String,
    /// `SECRET_ID`
    pub secret_id: String,
    /// `FRONT_PAYMENT_BASE_URL`
    pub front_payment_base_url: Url,
    /// `ORDER_RETENTION_DAYS`, counted from an order's last change; `None` is for ever.
    pub order_retention: Option<SignedDuration>,
    /// The SDK's own variables.
    pub aws: Aws,
    /// `SSL_CERT_FILE`
    pub ssl_cert_file: Option<PathBuf>,
}

/// What only `orders` needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `CALLBACK_BASE_URL`: the public base URL of this API; `None` takes it from each request.
    pub callback_base_url: Option<Url>,
    /// `ALLOWED_TAX_RATES`, in per cent.
    pub allowed_tax_rates: Vec<Decimal>,
    /// `ADVISORY_CHECKS=enforce`
    pub enforce_advisories: bool,
    /// `ACCEPT_ORDERS`: whether new orders are accepted at present.
    pub accepts_orders: bool,
    /// `TRUSTED_FAILURES`: the HTTP statuses, 500 or 510, after which nothing was created.
    pub trusted_failures: Vec<u16>,
    /// `PRIVATE_SHOP_HOSTS`
    pub private_shop_hosts: PrivateHosts,
}

impl Config {
    /// # Errors
    /// [`ConfigError`] names the first unusable variable.
    pub fn read(environment: &impl Environment) -> Result<Self, ConfigError> {
        const BASE_URL: &str = "FRONT_PAYMENT_BASE_URL";
        let aws = Aws::read(environment)?;
        Ok(Self {
            orders_table: environment.require("ORDERS_TABLE")?,
            secret_id: environment.require("SECRET_ID")?,
            front_payment_base_url: base_url(BASE_URL, &environment.require(BASE_URL)?)?,
            order_retention: order_retention(environment)?,
            aws,
            ssl_cert_file: environment.get("SSL_CERT_FILE")?.map(PathBuf::from),
        })
    }
}

impl Settings {
    /// # Errors
    /// [`ConfigError`] names the first unusable variable.
    pub fn read(environment: &impl Environment) -> Result<Self, ConfigError> {
        const CALLBACK: &str = "CALLBACK_BASE_URL";
        const RATES: &str = "ALLOWED_TAX_RATES";
        const CHECKS: &str = "ADVISORY_CHECKS";
        const ACCEPT: &str = "ACCEPT_ORDERS";
        let rates = environment.get(RATES)?;
        let rates = parse_tax_rates(rates.as_deref().unwrap_or("0,12,15,25"));
        Ok(Self {
            callback_base_url: environment.get(CALLBACK)?.map(|url| base_url(CALLBACK, &url)).transpose()?,
            allowed_tax_rates: rates
                .map_err(|problem| ConfigError::new(RATES, format!("{problem}; expected rates like 0,12,15,25")))?,
            enforce_advisories: match environment.get(CHECKS)?.as_deref() {
                None | Some("warn") => false,
                Some("enforce") => true,
                Some(_) => return Err(ConfigError::new(CHECKS, "is neither warn nor enforce")),
            },
            accepts_orders: match environment.get(ACCEPT)?.as_deref() {
                None | Some("true") => true,
                Some("false") => false,
                Some(_) => return Err(ConfigError::new(ACCEPT, "is neither true nor false")),
            },
            trusted_failures: environment.get(TRUSTED)?.as_deref().map(trusted_failures).transpose()?.unwrap_or_default(),
            private_shop_hosts: private_shop_hosts(environment)?,
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            callback_base_url: None,
            allowed_tax_rates: [0, 12, 15, 25].map(Decimal::from).to_vec(),
            enforce_advisories: false,
            accepts_orders: true,
            trusted_failures: Vec::new(),
            private_shop_hosts: PrivateHosts::default(),
        }
    }
}

/// `PRIVATE_SHOP_HOSTS`, which `worker` may call and `orders` does not warn about.
///
/// # Errors
/// [`ConfigError`] if it is unusable.
pub fn private_shop_hosts(environment: &impl Environment) -> Result<PrivateHosts, ConfigError> {
    const HOSTS: &str = "PRIVATE_SHOP_HOSTS";
    let hosts = environment.get(HOSTS)?.as_deref().map(PrivateHosts::parse).transpose();
    Ok(hosts.map_err(|problem| ConfigError::new(HOSTS, problem))?.unwrap_or_default())
}

/// `ORDER_RETENTION_DAYS`, counted from an order's last change; `None` is for ever.
///
/// # Errors
/// [`ConfigError`] if it is unusable.
pub fn order_retention(environment: &impl Environment) -> Result<Option<SignedDuration>, ConfigError> {
    environment.get("ORDER_RETENTION_DAYS")?.as_deref().map(retention).transpose()
}

const TRUSTED: &str = "TRUSTED_FAILURES";

fn trusted_failures(text: &str) -> Result<Vec<u16>, ConfigError> {
    let failures = text.split(',').map(|failure| match failure.trim() {
        "500" => Ok(500),
        "510" => Ok(510),
        _ => Err(ConfigError::new(TRUSTED, "is not 500, 510 or both with a comma between")),
    });
    failures.collect()
}

/// At least 90 days, so that a late callback, or a shop's late retry, still finds its order.
fn retention(days: &str) -> Result<SignedDuration, ConfigError> {
    let days = days.parse().ok().filter(|days| (90..=36_500).contains(days));
    let hours = days
        .map(|days: i64| days * 24)
        .ok_or_else(|| ConfigError::new("ORDER_RETENTION_DAYS", "is not a whole number of days from 90 to 36500"))?;
    Ok(SignedDuration::from_hours(hours))
}

/// An https URL, or an http URL of a loopback host, to which paths can be added.
///
/// # Errors
/// [`ConfigError`] names the variable, and does not quote the text.
pub fn base_url(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| ConfigError::new(variable, "is not a URL").caused_by(error))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let problem = match url.scheme() {
        "https" | "http" if url.query().is_some() || url.fragment().is_some() => "has a query or a fragment",
        "https" | "http" if !url.username().is_empty() || url.password().is_some() => "has a user name or a password",
        "https" => return Ok(url),
        "http" if is_loopback => return Ok(url),
        "http" => "is plain http to a host that is not this machine; use https",
        _ => "is neither http nor https",
    };
    Err(ConfigError::new(variable, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::error_chain;
    use std::collections::HashMap;

    struct Map(HashMap<&'static str, &'static str>);

    impl Environment for Map {
        fn get(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
            Ok(self.0.get(variable).filter(|value| !value.is_empty()).map(|value| (*value).to_owned()))
        }
    }

    fn with(variable: &'static str, value: &'static str) -> Map {
        let mut map = HashMap::from([
            ("ORDERS_TABLE", "orders"),
            ("SECRET_ID", "front-payment"),
            ("FRONT_PAYMENT_BASE_URL", "https://demo-api.frontpayment.no/api/v1"),
        ]);
        map.insert(variable, value);
        Map(map)
    }

    fn problem(variable: &'static str, value: &'static str) -> Option<String> {
        let environment = with(variable, value);
        Config::read(&environment).err().or(Settings::read(&environment).err()).map(|error| error_chain(&error))
    }

    #[test]
    fn a_missing_or_unusable_variable_is_named() {
        for (variable, value, expected) in [
            ("ORDERS_TABLE", "", "ORDERS_TABLE: is missing"),
            ("AWS_ENDPOINT_URL", "foo", "AWS_ENDPOINT_URL: is not a URL: relative URL without a base"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "foo", "AWS_ENDPOINT_URL_DYNAMODB: is not a URL: relative URL without a base"),
            ("AWS_USE_FIPS_ENDPOINT", "yes", "AWS_USE_FIPS_ENDPOINT: is neither true nor false"),
            ("AWS_RETRY_MODE", "often", "AWS_RETRY_MODE: is neither standard nor adaptive"),
            ("AWS_MAX_ATTEMPTS", "0", "AWS_MAX_ATTEMPTS: is not a whole number of at least 1"),
            ("SECRET_ID", "", "SECRET_ID: is missing"),
            ("FRONT_PAYMENT_BASE_URL", "", "FRONT_PAYMENT_BASE_URL: is missing"),
            ("FRONT_PAYMENT_BASE_URL", "demo", "FRONT_PAYMENT_BASE_URL: is not a URL: relative URL without a base"),
            ("FRONT_PAYMENT_BASE_URL", "ftp://a.example", "FRONT_PAYMENT_BASE_URL: is neither http nor https"),
            (
                "FRONT_PAYMENT_BASE_URL",
                "http://a.example",
                "FRONT_PAYMENT_BASE_URL: is plain http to a host that is not this machine; use https",
            ),
            ("FRONT_PAYMENT_BASE_URL", "https://a.example/?x=1", "FRONT_PAYMENT_BASE_URL: has a query or a fragment"),
            ("FRONT_PAYMENT_BASE_URL", "https://u:p@a.example/", "FRONT_PAYMENT_BASE_URL: has a user name or a password"),
            (
                "CALLBACK_BASE_URL",
                "http://localhost.example",
                "CALLBACK_BASE_URL: is plain http to a host that is not this machine; use https",
            ),
            (
                "ALLOWED_TAX_RATES",
                "0,x",
                "ALLOWED_TAX_RATES: a rate is not a plain decimal: digits with at most one point, no exponent, no spaces; expected rates like 0,12,15,25",
            ),
            ("ALLOWED_TAX_RATES", "0,-1", "ALLOWED_TAX_RATES: a rate is negative; expected rates like 0,12,15,25"),
            ("ORDER_RETENTION_DAYS", "89", "ORDER_RETENTION_DAYS: is not a whole number of days from 90 to 36500"),
            ("ORDER_RETENTION_DAYS", "a year", "ORDER_RETENTION_DAYS: is not a whole number of days from 90 to 36500"),
            (
                "ORDER_RETENTION_DAYS",
                "99999999999999999999",
                "ORDER_RETENTION_DAYS: is not a whole number of days from 90 to 36500",
            ),
            ("ADVISORY_CHECKS", "off", "ADVISORY_CHECKS: is neither warn nor enforce"),
            ("ACCEPT_ORDERS", "no", "ACCEPT_ORDERS: is neither true nor false"),
            ("TRUSTED_FAILURES", "502", "TRUSTED_FAILURES: is not 500, 510 or both with a comma between"),
            ("TRUSTED_FAILURES", "500,", "TRUSTED_FAILURES: is not 500, 510 or both with a comma between"),
        ] {
            assert_eq!(problem(variable, value).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_endpoint_of_a_service_takes_precedence_over_the_common_one() {
        let mut map = with("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        map.0.extend([
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:2"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_REGION", ""),
        ]);
        let aws = Config::read(&map).unwrap().aws;
        assert_eq!(aws.dynamodb_endpoint.as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(aws.secrets_manager_endpoint.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!((aws.region.as_deref(), aws.credentials.is_none(), aws.use_fips), (Some("eu-west-1"), true, false));
        map.0.extend([("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "MARK"), ("AWS_USE_FIPS_ENDPOINT", "True")]);
        let aws = Config::read(&map).unwrap().aws;
        assert!(aws.credentials.is_some() && aws.use_fips && !format!("{aws:?}").contains("MARK"));
    }

    #[test]
    fn usable_values_are_accepted() {
        for (variable, value) in [
            ("FRONT_PAYMENT_BASE_URL", "http://127.0.0.1:8080/api"),
            ("FRONT_PAYMENT_BASE_URL", "http://localhost:1/"),
            ("FRONT_PAYMENT_BASE_URL", "http://[::1]:1/"),
            ("CALLBACK_BASE_URL", "https://api.example.no/prod"),
            ("CALLBACK_BASE_URL", ""),
            ("ALLOWED_TAX_RATES", "0, 12.5,25.00"),
            ("ALLOWED_TAX_RATES", ""),
            ("ORDER_RETENTION_DAYS", "90"),
            ("ORDER_RETENTION_DAYS", ""),
            ("AWS_RETRY_MODE", "adaptive"),
            ("ADVISORY_CHECKS", "warn"),
            ("ADVISORY_CHECKS", "enforce"),
            ("ADVISORY_CHECKS", ""),
            ("TRUSTED_FAILURES", "500"),
            ("TRUSTED_FAILURES", "510, 500"),
            ("TRUSTED_FAILURES", ""),
            ("ACCEPT_ORDERS", "true"),
            ("ACCEPT_ORDERS", "false"),
            ("ACCEPT_ORDERS", ""),
        ] {
            assert_eq!(problem(variable, value), None, "{variable}={value}");
        }
        assert_eq!(
            Settings::read(&with("ALLOWED_TAX_RATES", "")).unwrap().allowed_tax_rates,
            Settings::default().allowed_tax_rates
        );
    }
}
