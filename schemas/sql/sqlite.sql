-- imcd's mirror in SQLite 3.38+: the tables of the OpenSIPS module `imc`, table version 2.
-- imcd makes what is missing by itself; this file is for those who would rather do it by hand:
--     sqlite3 mirror.db < schemas/sql/sqlite.sql
-- For Kamailio the version is 1. Names of rooms and users are ASCII: what a URI cannot hold stands escaped.

CREATE TABLE IF NOT EXISTS "version" (
    "table_name" CHAR(32) NOT NULL,
    "table_version" INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT "version_t_name_idx" UNIQUE ("table_name")
);

CREATE TABLE IF NOT EXISTS "imc_rooms" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    "name" CHAR(64) NOT NULL,
    "domain" CHAR(64) NOT NULL,
    "flag" INTEGER NOT NULL,
    CONSTRAINT "imc_rooms_name_domain_idx" UNIQUE ("name", "domain")
);

CREATE TABLE IF NOT EXISTS "imc_members" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    "username" CHAR(64) NOT NULL,
    "domain" CHAR(64) NOT NULL,
    "room" CHAR(64) NOT NULL,
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

INSERT OR IGNORE INTO "version" ("table_name", "table_version") VALUES ('imc_rooms', 2), ('imc_members', 2);
