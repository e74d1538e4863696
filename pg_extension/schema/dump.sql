-- Without these pg_dump takes an extension's tables for code and brings no row
-- back.  One statement each.  The permissions come with the extension.
SELECT pg_catalog.pg_extension_config_dump('chemchat.app_user', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.conversation', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.member', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.member_state', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.message', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.change', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.direct', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.message_revision', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.reaction', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.mention', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.block', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.account', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.session_revocation', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.bot_token', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.login_role', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.epoch', '');
SELECT pg_catalog.pg_extension_config_dump('chemchat.stream', '');
