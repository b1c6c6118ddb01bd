CREATE TABLE sms_providers (
    id serial PRIMARY KEY,
    name varchar(50) NOT NULL UNIQUE,
    enabled boolean NOT NULL DEFAULT true
);
CREATE TABLE sms_routes (
    id serial PRIMARY KEY,
    prefix varchar(8) NOT NULL CHECK (prefix ~ '^[+][0-9]+$'),
    provider_id integer NOT NULL REFERENCES sms_providers,
    priority integer NOT NULL CHECK (priority > 0),
    UNIQUE (prefix, priority)
);
CREATE INDEX sms_routes_provider ON sms_routes (provider_id);
CREATE TABLE phone_numbers (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    number varchar(16) NOT NULL UNIQUE,
    verified_at timestamptz
);
CREATE TABLE sms_templates (
    name text NOT NULL,
    locale varchar(10) NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (name, locale)
);
CREATE TABLE sms_messages (
    id bigserial PRIMARY KEY,
    route_id integer NOT NULL REFERENCES sms_routes,
    template_name text NOT NULL,
    template_locale varchar(10) NOT NULL,
    to_number_id bigint REFERENCES phone_numbers ON DELETE SET NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (template_name, template_locale) REFERENCES sms_templates
);
CREATE INDEX sms_messages_sent ON sms_messages (sent_at);
CREATE TABLE sms_deliveries (
    message_id bigint PRIMARY KEY REFERENCES sms_messages ON DELETE CASCADE,
    status varchar(20) NOT NULL CHECK (status IN ('queued', 'sent', 'delivered', 'failed')),
    reported_at timestamptz NOT NULL DEFAULT now()
);
