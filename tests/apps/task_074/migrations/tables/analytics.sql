CREATE TABLE analytics_events (
    id bigserial PRIMARY KEY,
    user_id bigint REFERENCES users ON DELETE SET NULL,
    name text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX analytics_events_at ON analytics_events (at, name);
CREATE TABLE analytics_daily (
    day date NOT NULL,
    name text NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (day, name)
);
CREATE TABLE sms_usage (
    day date NOT NULL,
    provider_id integer NOT NULL REFERENCES sms_providers,
    messages integer NOT NULL CHECK (messages >= 0),
    cost_cents integer NOT NULL DEFAULT 0,
    PRIMARY KEY (day, provider_id)
);
