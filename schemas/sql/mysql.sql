-- imcd's mirror in MySQL 5.7+ or MariaDB 10.4+: the tables of the OpenSIPS module `imc`, table version 2.
-- imcd makes what is missing by itself; this file is for those who would rather do it by hand:
--     mysql opensips < schemas/sql/mysql.sql
-- For Kamailio the version is 1. Names of rooms and users are ASCII (what a URI cannot hold stands escaped), compared byte by byte.

CREATE TABLE IF NOT EXISTS `version` (
    `table_name` CHAR(32) NOT NULL,
    `table_version` INT(10) UNSIGNED DEFAULT 0 NOT NULL,
    CONSTRAINT `t_name_idx` UNIQUE (`table_name`)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS `imc_rooms` (
    `id` INT(10) UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL,
    `name` CHAR(64) NOT NULL,
    `domain` CHAR(64) NOT NULL,
    `flag` INT(11) NOT NULL,
    CONSTRAINT `name_domain_idx` UNIQUE (`name`, `domain`)
) ENGINE=InnoDB CHARACTER SET ascii COLLATE ascii_bin;

CREATE TABLE IF NOT EXISTS `imc_members` (
    `id` INT(10) UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL,
    `username` CHAR(64) NOT NULL,
    `domain` CHAR(64) NOT NULL,
    `room` CHAR(64) NOT NULL,
    `flag` INT(11) NOT NULL,
    CONSTRAINT `account_room_idx` UNIQUE (`username`, `domain`, `room`),
    -- Not in imc-create.sql: without it the end of a room reads the whole table.
    KEY `room_idx` (`room`)
) ENGINE=InnoDB CHARACTER SET ascii COLLATE ascii_bin;

-- imcd's own: how far the rows are (`position` of the log `log`), and which build of them this is (`generation`).
CREATE TABLE IF NOT EXISTS `imc_rooms_checkpoint` (
    `id` INT PRIMARY KEY NOT NULL,
    `log` VARCHAR(255) NOT NULL,
    `position` VARCHAR(255),
    `generation` CHAR(36) NOT NULL
) ENGINE=InnoDB CHARACTER SET ascii COLLATE ascii_bin;

INSERT IGNORE INTO `version` (`table_name`, `table_version`) VALUES ('imc_rooms', 2), ('imc_members', 2);
