//! Prints a signed request, ready to be sent with `curl --data`. Arguments: the action, the public and the private key.
#![allow(clippy::print_stdout)] // an example prints its result

use jingku_protocol::{Params, sign_request};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let action = next("DescribeCompShareCustomImages");
    let (public_key, private_key) = (next("my-public-key"), next("my-private-key"));
    println!("{}", sign_request(Params::for_action(&action), &public_key, &private_key).to_form());
}
