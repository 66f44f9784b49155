-- imcd's mirror in PostgreSQL 12+: the tables of the OpenSIPS module `imc`, table version 2.
-- imcd makes what is missing by itself; this file is for those who would rather do it by hand:
--     psql opensips -f schemas/sql/postgres.sql
-- For Kamailio the version is 1. Names of rooms and users are ASCII: what a URI cannot hold stands escaped.

CREATE TABLE IF NOT EXISTS "version" (
    "table_name" VARCHAR(32) NOT NULL,
    "table_version" INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT "version_t_name_idx" UNIQUE ("table_name")
);

CREATE TABLE IF NOT EXISTS "imc_rooms" (
    "id" SERIAL PRIMARY KEY NOT NULL,
    "name" VARCHAR(64) NOT NULL,
    "domain" VARCHAR(64) NOT NULL,
    "flag" INTEGER NOT NULL,
    CONSTRAINT "imc_rooms_name_domain_idx" UNIQUE ("name", "domain")
);

CREATE TABLE IF NOT EXISTS "imc_members" (
    "id" SERIAL PRIMARY KEY NOT NULL,
    "username" VARCHAR(64) NOT NULL,
    "domain" VARCHAR(64) NOT NULL,
    "room" VARCHAR(64) NOT NULL,
    "flag" INTEGER NOT NULL,
    CONSTRAINT "imc_members_account_room_idx" UNIQUE ("username", "domain", "room")
);

-- Not in imc-create.sql: without it the end of a room reads the whole table.
CREATE INDEX IF NOT EXISTS "imc_members_room_idx" ON "imc_members" ("room");

-- imcd's own: how far the rows are (`position` of the log `log`), and which build of them this is (`generation`).
CREATE TABLE IF NOT EXISTS "imc_rooms_checkpoint" (
    "id" INTEGER PRIMARY KEY NOT NULL,
    "log" VARCHAR(255) NOT NULL,
    "position" VARCHAR(255),
    "generation" CHAR(36) NOT NULL
);

INSERT INTO "version" ("table_name", "table_version") VALUES ('imc_rooms', 2), ('imc_members', 2) ON CONFLICT DO NOTHING;
