/*
 * acting - for whom a call acts
 *
 * Whoever the database let in as a gateway, an admin or a superuser has
 * authenticated the actor and names her.  A developer's own service logs in as
 * a role bound to one actor (chemchat.login_role) and acts for nobody else.
 *
 * The role judged is the outer one: what the session is, or has SET ROLE to,
 * whatever SECURITY DEFINER functions are on the way.  So a service cannot
 * lend its name to somebody, nor borrow another's; and since maintenance
 * (ANALYZE, REINDEX, autovacuum) runs a table owner's code inside a session of
 * a superuser's, nobody acts in there.
 *
 * Uses SPI as the current user, who must be the owner of the tables.
 */
#ifndef CHEMCHAT_ACTING_H
#define CHEMCHAT_ACTING_H

#include "utils/uuid.h"

/*
 * The actor: asked, or with asked NULL the one that the role is bound to.
 * Raises forbidden for any other, and invalid_argument where nobody is named.
 * Does not say that there is such a user.  What is returned lives as long as
 * asked, or in the current context.
 */
extern const pg_uuid_t *acting_for(const pg_uuid_t *asked);

/* False for a caller who is bound to one actor, or to none. */
extern bool acting_is_trusted(void);

#endif
