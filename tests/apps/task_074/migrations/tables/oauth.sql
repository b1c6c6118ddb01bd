CREATE TABLE oauth_providers (
    id serial PRIMARY KEY,
    name varchar(50) NOT NULL UNIQUE,
    authorize_url text NOT NULL CHECK (authorize_url LIKE 'https://%'),
    client_id text NOT NULL,
    enabled boolean NOT NULL DEFAULT true
);
CREATE TABLE oauth_scopes (
    provider_id integer NOT NULL REFERENCES oauth_providers ON DELETE CASCADE,
    scope text NOT NULL,
    PRIMARY KEY (provider_id, scope)
);
CREATE TABLE oauth_accounts (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    provider_id integer NOT NULL REFERENCES oauth_providers,
    subject text NOT NULL,
    UNIQUE (provider_id, subject),
    UNIQUE (user_id, provider_id)
);
CREATE TABLE oauth_states (
    state varchar(43) PRIMARY KEY,
    provider_id integer NOT NULL REFERENCES oauth_providers ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
