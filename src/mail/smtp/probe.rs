//! Goes as far as a letter would, without one: connects, protects the way, greets and logs in.

use super::{Connection, Port, Server};
use crate::metrics::Metrics;

/// What a server let us do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// What it says that it can do, of what matters to us, as it is written in SMTP.
    pub abilities: Vec<String>,
    /// Its certificate, in DER, where the way is under TLS.
    pub certificate: Option<Vec<u8>>,
}

/// Where that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFailure {
    /// The code of the server's answer, if it gave one.
    pub code: Option<u16>,
    /// What it said, or what became of the connection.
    pub text: String,
}

/// Asks a server whether it would take letters; no letter is offered.
///
/// # Errors
/// What it answered, or why it could not be asked, within its patience for each step.
pub async fn probe(server: &Server) -> Result<Probed, ProbeFailure> {
    let failed =
        |failure: super::Failure| ProbeFailure { code: failure.reply.code, text: failure.reply.told() };
    // Nobody reads what is counted here.
    let counts = Metrics::default().mail;
    let connection = Connection::open(&Port::of(server.clone(), counts)).await.map_err(failed)?;
    let known = &connection.abilities;
    let mut abilities = Vec::new();
    for (is, word) in [
        (known.pipelining, "PIPELINING"),
        (known.size, "SIZE"),
        (known.starttls, "STARTTLS"),
        (!known.log_ins.is_empty(), "AUTH"),
    ] {
        if is {
            abilities.push(word.to_owned());
        }
    }
    if abilities.is_empty() {
        abilities.push("nothing beyond the first SMTP".to_owned());
    }
    let certificate = connection.certificate.clone();
    connection.close().await;
    Ok(Probed { abilities, certificate })
}
