#include "pg_conninfo.h"

#include <stddef.h>
#include <string.h>

#include <libpq-fe.h>

bool
pg_conninfo_check(const char *conninfo, Error *err)
{
	PQconninfoOption *options;

	/* a database's name alone is one too, as for psql */
	if (strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL)
		return true;
	options = PQconninfoParse(conninfo, NULL);
	if (options == NULL)
		return error_set(err, "the connection string cannot be read "
							  "(not shown: it may hold a password)");
	PQconninfoFree(options);
	return true;
}

bool
pg_conninfo_has_password(const char *conninfo)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool has_password = false;

	for (PQconninfoOption *option = options;
		 option != NULL && option->keyword != NULL; option++)
	{
		if (strcmp(option->keyword, "password") == 0 && option->val != NULL &&
			option->val[0] != '\0')
			has_password = true;
	}
	PQconninfoFree(options);
	return has_password;
}
