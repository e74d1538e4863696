-- Who may create in a database could make the schema first and put functions
-- into it that ours would call with the owner's rights.
\set SHOW_CONTEXT never
DROP EXTENSION chemchat CASCADE;
DROP SCHEMA chemchat;
CREATE ROLE regress_mallory;
CREATE SCHEMA chemchat AUTHORIZATION regress_mallory;
CREATE EXTENSION chemchat;
-- Given away, it still holds what she put there.
SET ROLE regress_mallory;
CREATE FUNCTION chemchat._head(text) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
RESET ROLE;
ALTER SCHEMA chemchat OWNER TO CURRENT_USER;
CREATE EXTENSION chemchat;
DROP FUNCTION chemchat._head(text);
-- An empty one of a superuser's is what a restored dump brings.
CREATE EXTENSION chemchat;
SELECT count(*) AS made FROM pg_extension WHERE extname = 'chemchat';
DROP ROLE regress_mallory;
