CREATE TABLE "user" (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    mail text NOT NULL,
    password text NOT NULL,
    blocked boolean NOT NULL DEFAULT false
);
