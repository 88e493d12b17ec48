//! Tells whoever listens that something has changed. Who was busy meanwhile hears of it once.

use tokio::sync::watch;

/// A bell that many may ring and many may listen to.
#[derive(Debug, Clone)]
pub struct Bell(watch::Sender<()>);

/// Somebody who listens to a [`Bell`].
#[derive(Debug, Clone)]
pub struct Listener(watch::Receiver<()>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(()))
    }
}

impl Bell {
    /// Rings. Nobody waits for those who listen.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

impl Listener {
    /// Waits until the bell has rung since this was asked last. A bell that nobody can ring any more does not ring.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_was_busy_hears_of_many_rings_once() {
        let bell = Bell::default();
        let mut listener = bell.listen();
        bell.ring();
        bell.ring();
        listener.heard().await;
        let again = tokio::time::timeout(std::time::Duration::ZERO, listener.heard()).await;
        assert!(again.is_err(), "it rang no more");
        bell.ring();
        listener.heard().await;
    }
}
