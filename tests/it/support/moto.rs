//! AWS on this machine: moto servers from PyPI, in a virtual environment that the tests create under target/.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use front_payment_bridge::aws::Aws;
use front_payment_bridge::clock::Clock;
use front_payment_bridge::http_client::{PooledClient, Tls};
use front_payment_bridge::store::DynamoDbStore;

const REQUIREMENTS: &str = include_str!("../../moto-requirements.txt");

/// Loads moto once, which takes a second, and forks a process for each server. A server handles one request at a time, because
/// moto's conditional writes are not atomic. All end when standard input is closed, so they cannot outlive the tests.
const SERVERS: &str = "
import gc, logging, os, signal, sys, threading
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import Client
logging.getLogger('werkzeug').setLevel(logging.ERROR)
moto, one_at_a_time, servers = DomainDispatcherApplication(create_backend_app), threading.Lock(), {}
for service, target in ('dynamodb', 'DynamoDB_20120810.ListTables'), ('secretsmanager', 'secretsmanager.ListSecrets'):
    credential = f'AWS4-HMAC-SHA256 Credential=test/20260101/eu-north-1/{service}/aws4_request, SignedHeaders=host, Signature=x'
    Client(moto).post('/', headers={'Authorization': credential, 'X-Amz-Target': target}, data='{}')
gc.disable()
def app(environ, start_response):
    with one_at_a_time:
        return list(moto(environ, start_response))
def end(process):
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
for line in sys.stdin:
    if line.strip() == 'start':
        server = make_server('127.0.0.1', 0, app, threaded=True)
        process = os.fork()
        if process == 0:
            server.serve_forever()
        servers[server.server_port] = process
        server.server_close()
        print(server.server_port, flush=True)
    else:
        end(servers.pop(int(line)))
for process in servers.values():
    end(process)
";

pub struct Moto {
    port: u16,
    pub endpoint: String,
}

/// The process of [`SERVERS`].
struct Servers {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl Servers {
    fn launch() -> Self {
        let launched = Command::new(python()).args(["-c", SERVERS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = launched.expect("moto does not start");
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    fn ask(&mut self, what: impl Display) -> io::Result<()> {
        writeln!(self.process.stdin.as_mut().unwrap(), "{what}")
    }

    fn with<T>(act: impl FnOnce(&mut Self) -> T) -> T {
        static SERVERS: Mutex<Option<Servers>> = Mutex::new(None);
        act(SERVERS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Self::launch))
    }
}

impl Moto {
    /// Starts a server on a free port.
    pub fn start() -> Self {
        let mut port = String::new();
        let answer = Servers::with(|servers| {
            servers.ask("start")?;
            servers.answers.read_line(&mut port)
        });
        assert!(answer.is_ok_and(|length| length > 0), "moto ended at once; remove target/moto-venv and try again");
        let port = port.trim().parse().unwrap();
        Self { port, endpoint: format!("http://127.0.0.1:{port}") }
    }

    /// The bridge's own client, but without its time limits: moto is slow with large items.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let (aws, http) = self.aws();
        let config = aws.dynamodb(http).config().to_builder().timeout_config(TimeoutConfig::disabled());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let (aws, http) = self.aws();
        aws.secrets_manager(http)
    }

    fn aws(&self) -> (Aws, Arc<PooledClient>) {
        let aws = Aws {
            region: Some("eu-north-1".to_owned()),
            credentials: Some(Credentials::new("test", "test", None, None, "test")),
            dynamodb_endpoint: Some(self.endpoint.clone()),
            secrets_manager_endpoint: Some(self.endpoint.clone()),
            ..Aws::default()
        };
        let http = PooledClient::new(Tls::new(None).unwrap(), Clock::system(), Duration::from_secs(20)).unwrap();
        (aws, Arc::new(http))
    }

    /// A store in a new table, with the indexes that it has on AWS.
    pub async fn store(&self, table: &str) -> DynamoDbStore {
        let client = self.dynamodb();
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        let attribute =
            |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
        let index = |name: &str, partition: &str, time: &str, projection: Projection| {
            let index = GlobalSecondaryIndex::builder().index_name(name).projection(projection);
            index.key_schema(key(partition, KeyType::Hash)).key_schema(key(time, KeyType::Range)).build().unwrap()
        };
        let keys = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let include = Projection::builder().projection_type(ProjectionType::Include);
        let include = include.non_key_attributes("status").non_key_attributes("shopId").build();
        let mut create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
        for name in ["orderId", "tellQueue", "askQueue", "shopId"] {
            create = create.attribute_definitions(attribute(name, ScalarAttributeType::S));
        }
        for name in ["tellAt", "askAt", "changedAt"] {
            create = create.attribute_definitions(attribute(name, ScalarAttributeType::N));
        }
        let create = create.key_schema(key("orderId", KeyType::Hash));
        let create = create.global_secondary_indexes(index("tell", "tellQueue", "tellAt", keys.clone()));
        let create = create.global_secondary_indexes(index("ask", "askQueue", "askAt", include));
        let create = create.global_secondary_indexes(index("shop", "shopId", "changedAt", keys));
        create.send().await.unwrap();
        DynamoDbStore::new(client, table.to_owned())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        if let Err(error) = Servers::with(|servers| servers.ask(self.port)) {
            eprintln!("a moto server did not end: {error}");
        }
    }
}

/// The directory of the programs of the virtual environment, for example `aws`.
pub fn programs() -> PathBuf {
    python().parent().unwrap().to_owned()
}

/// The Python of the virtual environment. Creates the environment if there is none, or if the requirements have changed.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let venv = target.join("moto-venv");
    // Tests run in parallel, but only one may create it.
    let lock = File::create(target.join("moto-venv.lock")).unwrap();
    lock.lock().unwrap();
    let installed = venv.join("requirements.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        return venv.join("bin/python");
    }
    eprintln!("setting up {} (once; takes a minute)", venv.display());
    run("python3", &["-m", "venv", "--clear", venv.to_str().unwrap()]);
    let pip = venv.join("bin/pip");
    let requirements: Vec<_> = REQUIREMENTS.lines().collect();
    run(
        pip.to_str().unwrap(),
        &[["install", "--quiet", "--disable-pip-version-check", "--no-compile"].as_slice(), &requirements].concat(),
    );
    std::fs::write(installed, REQUIREMENTS).unwrap();
    venv.join("bin/python")
}

fn run(program: &str, arguments: &[&str]) {
    let done = Command::new(program).args(arguments).output();
    let failed = match done {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "The tests against DynamoDB need python3 (3.10 or later) with its venv module, and PyPI to install moto from, once.\n\
         `{program} {}` failed: {failed}",
        arguments.join(" ")
    );
}
