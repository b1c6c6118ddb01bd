CREATE TABLE conversations (
    id bigserial PRIMARY KEY,
    title text NOT NULL,
    created_by bigint REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE conversation_members (
    conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX conversation_members_user ON conversation_members (user_id);
CREATE TABLE messages (
    id bigserial PRIMARY KEY,
    conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
    sender_id bigint REFERENCES users ON DELETE SET NULL,
    body text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_conversation ON messages (conversation_id, sent_at);
CREATE TABLE message_attachments (
    id bigserial PRIMARY KEY,
    message_id bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
    name text NOT NULL,
    bytes bigint NOT NULL CHECK (bytes >= 0)
);
CREATE INDEX message_attachments_message ON message_attachments (message_id);
CREATE TABLE message_reactions (
    message_id bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    emoji varchar(16) NOT NULL,
    PRIMARY KEY (message_id, user_id, emoji)
);
CREATE TABLE message_reads (
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    message_id bigint NOT NULL REFERENCES messages ON DELETE CASCADE,
    PRIMARY KEY (conversation_id, user_id),
    FOREIGN KEY (conversation_id, user_id) REFERENCES conversation_members ON DELETE CASCADE
);
