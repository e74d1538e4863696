-- Without these pg_dump takes an extension's tables for code and brings no row
-- back.  One statement each.  The permissions come with the extension.
SELECT pg_catalog.pg_extension_config_dump('chemchat.app_user', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.conversation', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.member', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.member_state', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.message', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.change', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.epoch', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.stream', '');
