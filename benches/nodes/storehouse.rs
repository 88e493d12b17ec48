//! An S3 server over a folder, for `benches/nodes/run`: storehouse FOLDER ADDRESS FILE. It takes a port of its own and writes it to the file.

use std::{env, error::Error, fs};

use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(folder), Some(address), Some(file)) = (arguments.next(), arguments.next(), arguments.next()) else {
        // `cargo bench` runs all there are, without arguments.
        eprintln!("storehouse FOLDER ADDRESS FILE");
        return Ok(());
    };
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder).map_err(|error| format!("{error:?}"))?);
    builder.set_auth(SimpleAuth::from_single("printer", "open sesame"));
    let service = builder.build();
    let listener = TcpListener::bind((address.as_str(), 0)).await?;
    fs::write(file, format!("{}\n", listener.local_addr()?.port()))?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        tokio::spawn(async move {
            // A client that hangs up is no fault of ours.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
