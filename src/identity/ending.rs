//! Tokens that are ended before their time, and who is signed in at all.

use super::{
    ENDED, Identity, bearer, jwt, required,
    sessions::{self, Session},
    unproved,
};
use crate::{
    base::hash::sha256_hex,
    model::{
        org::{Org, Principal, ServiceIx},
        refusal::{Code, Refusal},
        session::{Ended, Whose},
        world::Claimed,
    },
    policy::scope::{self, Acting},
    store::Failed,
    telemetry::{Event as _, event::SessionEnded},
};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

/// How long sessions of signed tokens may last at least, and what nobody knows the end of: opaque tokens, certificates, tokens of
/// the configuration.
const SIGNED_LIFE: SignedDuration = SignedDuration::from_hours(48);
const LONG_LIFE: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Identity {
    /// Looks for what other processes ended, until the end.
    pub async fn keep_reading(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(sessions::LOOK) => {}
            }
            if let Err(error) = self.sessions.read_on().await {
                tracing::error!(%error, "what other processes ended cannot be read");
            }
        }
    }

    /// Ends every token of something that was issued until now. In force for the next request. Who names a token by all of it, where
    /// it can be told that he does, ends it by its digest: it is kept nowhere.
    pub async fn end(&self, whose: Whose, id: &str, now: Timestamp) -> Result<Ended, Failed> {
        let all_of_it = whose == Whose::Token && (bearer::is_signed(id) || self.statics.find(id).is_some());
        let digest = all_of_it.then(|| sha256_hex(id.as_bytes()));
        let id = digest.as_deref().unwrap_or(id);
        // the issuer's clock may be ahead of ours by as much as its tokens may
        let ahead = self.jwt.as_ref().map(|jwt| jwt.settings().leeway).and_then(|leeway| leeway.try_into().ok());
        let at = now.checked_add(ahead.unwrap_or(SignedDuration::ZERO)).unwrap_or(now);
        self.end_at(whose, id, at, now).await
    }

    async fn end_at(&self, whose: Whose, id: &str, at: Timestamp, now: Timestamp) -> Result<Ended, Failed> {
        let jwt = self.jwt.as_ref().map(jwt::Verifier::settings);
        let lives = jwt.map(|jwt| jwt.max_lifetime.saturating_add(jwt.leeway.saturating_mul(2)));
        let lives = lives.and_then(|longest| SignedDuration::try_from(longest).ok()).unwrap_or_default();
        let lives = lives.max(if whose == Whose::Session { SIGNED_LIFE } else { LONG_LIFE });
        let until = now.checked_add(lives).unwrap_or(Timestamp::MAX);
        let ended = Ended { whose, id: id.into(), at, until };
        self.sessions.end(ended.clone(), now).await?;
        SessionEnded { kind: whose.as_str(), id }.emit(&self.metrics);
        Ok(ended)
    }

    /// A log-out that the identity provider tells: the session that it names, and what its subject got until then.
    pub async fn logged_out(&self, token: &str, now: Timestamp) -> Result<(), Refusal> {
        let Some(verifier) = &self.jwt else {
            return Err(required("no identity provider signs tokens for this proxy"));
        };
        if token.len() > bearer::MAX_TOKEN {
            return Err(required("the token is longer than 8 KiB"));
        }
        let audience = self.logout_audience.as_deref().unwrap_or(&verifier.settings().audience);
        let told = verifier.verify_logout(token, audience, now).await.map_err(unproved)?;
        // the person first: where no more sessions can be kept, he is logged out all the same
        let named = [(Whose::Subject, told.subject), (Whose::User, told.user), (Whose::Session, told.session)];
        for (whose, id) in named {
            if let Some(id) = id {
                // by the issuer's own clock, as its tokens are
                self.end_at(whose, &id, told.issued, now).await?;
            }
        }
        Ok(())
    }

    /// The person for whom an account acts, when it may, and he is signed in.
    pub async fn act_for(
        &self,
        (account, claimed): (ServiceIx, Option<&Claimed>),
        named: &str,
        org: &Org,
        now: Timestamp,
    ) -> Result<Acting, Refusal> {
        let acting = scope::acting(org, (account, claimed), named, &self.acting.administrators)?;
        let person = &org.user(acting.subject).id;
        let session = self.sessions.of_user(person, now).await?;
        match session {
            Session::Live => Ok(acting),
            Session::Unknown if !self.acting.require_session => Ok(acting),
            Session::Unknown | Session::LoggedOut => Err(Refusal::new(
                Code::SubjectNoSession,
                "the person for whom this is asked is not signed in; he has to sign in, and use this proxy once himself",
            )
            .because(format!("`{person}`: {session:?}"))),
        }
    }

    /// Whether all of a holder was ended; nobody knows while that cannot be read.
    pub(super) fn not_ended(
        &self,
        principal: Principal,
        issued: Option<Timestamp>,
        org: &Org,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if let Some((since, true)) = self.sessions.blind() {
            let cause = format!("what was ended cannot be read for {}s", since.as_secs());
            return Err(Failed::Store(cause).into());
        }
        let over = match principal {
            Principal::User(user) => self.sessions.is_over(Whose::User, &org.user(user).id, issued, now),
            Principal::Service(service) => {
                let mut clients = org.service(service).clients.iter();
                clients.any(|client| self.sessions.is_over(Whose::Client, client, issued, now))
            }
        };
        if over { Err(required(ENDED)) } else { Ok(()) }
    }
}
