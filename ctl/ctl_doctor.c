#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl_db.h"

static bool print_findings(PgSession *session, bool is_all, int *errors,
						   Error *err);
static bool check_config(const char *daemon, const char *file, int *errors,
						 Error *err);
static bool beside_us(const char *name, char path[PATH_MAX]);

int
ctl_doctor(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *all = NULL;
	const char *gateway = NULL;
	const char *relay = NULL;
	const CtlFlag flags[] = {
		{ "--all", &all, NULL, "what is in order, too", false },
		{ "--gateway-config", &gateway, "FILE",
		  "check a gateway's configuration", false },
		{ "--relay-config", &relay, "FILE", "check a relay's configuration",
		  false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;
	int errors = 0;
	PgSession *session = NULL;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	if ((gateway != NULL &&
		 !check_config("chemchat-gateway", gateway, &errors, &err)) ||
		(relay != NULL &&
		 !check_config("chemchat-relay", relay, &errors, &err)) ||
		(session = ctl_db_open(&target, &err)) == NULL ||
		!print_findings(session, all != NULL, &errors, &err))
		exit_code = ctl_failed(argv[0], &err);
	else
	{
		(void) puts(errors == 0 ? "nothing is wrong" : "see above");
		exit_code = errors == 0 ? CTL_OK : CTL_FAILED;
	}
	pg_session_close(&session);
	return exit_code;
}

/* The worst first; each with what mends it. */
static bool
print_findings(PgSession *session, bool is_all, int *errors, Error *err)
{
	if (!ctl_db_ask(session,
					"SELECT d.severity, d.subject, d.finding, d.remedy"
					" FROM chemchat.doctor() WITH ORDINALITY"
					" AS d (severity, subject, finding, remedy, n)"
					" ORDER BY array_position("
					"   ARRAY['error', 'warning'], d.severity), d.n",
					0, NULL, err))
		return false;
	for (int i = 0; i < pg_session_rows(session); i++)
	{
		const char *severity = ctl_db_cell(session, i, 0);
		const char *remedy = ctl_db_cell(session, i, 3);

		if (strcmp(severity, "error") == 0)
			(*errors)++;
		if (strcmp(severity, "ok") == 0 && !is_all)
			continue;
		(void) printf("%-8s %s: %s\n", severity, ctl_db_cell(session, i, 1),
					  ctl_db_cell(session, i, 2));
		if (remedy[0] != '\0')
			(void) printf("         %s\n", remedy);
	}
	return true;
}

/* The daemon knows its own settings; it says what is wrong itself. */
static bool
check_config(const char *daemon, const char *file, int *errors, Error *err)
{
	char path[PATH_MAX];
	int status = 0;
	pid_t child;

	if (!beside_us(daemon, path))
		return error_set(err, "there is no %s beside this program", daemon);
	(void) fflush(NULL);
	child = fork();
	if (child < 0)
		return error_set(err, "could not start %s: %s", daemon,
						 strerror(errno));
	if (child == 0)
	{
		(void) dup2(STDOUT_FILENO, STDERR_FILENO);
		(void) execl(path, daemon, "--check-config", "--config-file", file,
					 (char *) NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
	{
		(*errors)++;
		(void) printf("error    %s: the configuration is not in order\n", file);
	}
	return true;
}

static bool
beside_us(const char *name, char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (len <= 0)
		return false;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL ||
		(size_t) (slash - path) + 1 + strlen(name) + 1 > PATH_MAX)
		return false;
	memcpy(slash + 1, name, strlen(name) + 1);
	return access(path, X_OK) == 0;
}
