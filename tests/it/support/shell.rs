//! Runs the commands of a documentation page as they are written there.

use std::path::Path;
use std::process::Command;

use super::moto;
use super::world::World;

/// The first code block that contains `about`, in the section `heading` of a page.
pub fn block(page: &'static str, heading: &str, about: &str) -> &'static str {
    let section = page.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let mut blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.find(|block| block.contains(about)).unwrap_or_else(|| panic!("no {about}"))
}

/// Runs commands in a directory. Returns whether they succeed, and what they print.
pub async fn run_in(world: &World, directory: &Path, command: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let path = format!("{}:{}", moto::programs().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", command]).current_dir(directory).env("PATH", path).envs([
        ("AWS_ENDPOINT_URL", world.moto.endpoint.as_str()),
        ("AWS_REGION", "eu-north-1"),
        ("AWS_DEFAULT_REGION", "eu-north-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("TABLE", "orders"),
        ("RESTORED", "orders"),
        ("SECRET", "front-payment"),
        ("API", "https://api.example"),
    ]);
    shell.envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}
