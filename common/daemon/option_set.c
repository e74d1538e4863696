#include "option_set.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_file.h"
#include "option_value.h"
#include "secret_file.h"
#include "xalloc.h"

#define ENV_PREFIX "CHEMCHAT_"

typedef struct Entry
{
	const Option *option;
	void *config;
	char *source;  /* "default", "relay.conf:12", "CHEMCHAT_X", "--x" */
	int file_line; /* where the file set it; 0 = nowhere */
} Entry;

struct OptionSet
{
	Entry *entries;
	size_t count;
	const char *path; /* of the file being read */
};

static const struct
{
	const char *flag;
	OptionAction action;
} actions[] = {
	{ "--help", OPTION_HELP },
	{ "-h", OPTION_HELP },
	{ "--version", OPTION_VERSION },
	{ "-V", OPTION_VERSION },
	{ "--check-config", OPTION_CHECK_CONFIG },
	{ "--print-config", OPTION_PRINT_CONFIG },
};

static bool load_defaults(OptionSet *set, Error *err);
static bool load_file(OptionSet *set, Error *err);
static bool load_setting(void *context, const char *key, const char *value,
						 int line, Error *err);
static bool load_environment(OptionSet *set, char *const *environ_list,
							 const char *only, Error *err);
static bool load_flags(OptionSet *set, int argc, char *const *argv,
					   const char *only, Error *err);
static bool check_all(OptionSet *set, Error *err);
static Entry *find(const OptionSet *set, const char *name, size_t len);
static bool set_value(Entry *entry, const char *text, const char *source,
					  Error *err);
static OptionAction action_of(const char *arg);
static char *dashed(const char *name);
static char *variable_name(const char *name);
static const char *variable(char *const *environ_list, const char *name);

OptionSet *
option_set_new(void)
{
	return xcalloc(1, sizeof(OptionSet));
}

void
option_set_free(OptionSet **set)
{
	if (*set == NULL)
		return;
	for (size_t i = 0; i < (*set)->count; i++)
	{
		Entry *entry = &(*set)->entries[i];

		option_value_clear(entry->option, entry->config);
		free(entry->source);
	}
	free((*set)->entries);
	free(*set);
	*set = NULL;
}

void
option_set_add(OptionSet *set, const Option *table, void *config)
{
	for (const Option *option = table; option->name != NULL; option++)
	{
		set->entries =
			xrealloc(set->entries, (set->count + 1) * sizeof *set->entries);
		set->entries[set->count++] = (Entry){ .option = option,
											  .config = config,
											  .source = xstrdup("default") };
	}
}

OptionAction
option_set_action(int argc, char *const *argv)
{
	for (int i = 1; i < argc; i++)
	{
		OptionAction action = action_of(argv[i]);

		if (action != OPTION_RUN)
			return action;
	}
	return OPTION_RUN;
}

bool
option_set_load(OptionSet *set, int argc, char *const *argv,
				char *const *environ_list, Error *err)
{
	/* the file's name first: it may come from environment or flag only */
	return load_defaults(set, err) &&
		   load_environment(set, environ_list, "config_file", err) &&
		   load_flags(set, argc, argv, "config_file", err) &&
		   load_file(set, err) &&
		   load_environment(set, environ_list, NULL, err) &&
		   load_flags(set, argc, argv, NULL, err) && check_all(set, err);
}

void
option_set_blame(const OptionSet *set, Error *err)
{
	size_t len = strcspn(err->text, ":");
	const Entry *entry = find(set, err->text, len);

	if (entry != NULL && err->text[len] == ':')
		error_wrap(err, "%s", entry->source);
}

void
option_set_print(const OptionSet *set, Buf *out)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const Entry *entry = &set->entries[i];

		/* the file's own name may not stand in a file */
		if (strcmp(entry->option->name, "config_file") == 0)
			buf_append_str(out, "# ");
		buf_printf(out, "%s = ", entry->option->name);
		option_value_write(entry->option, entry->config, out);
		buf_printf(out, "  # %s\n", entry->source);
	}
}

void
option_set_help(const OptionSet *set, Buf *out)
{
	static const char *const kinds[] = {
		[OPTION_STRING] = "TEXT", [OPTION_INT] = "N",
		[OPTION_BOOL] = "on|off", [OPTION_DURATION] = "TIME",
		[OPTION_SIZE] = "SIZE",   [OPTION_SECRET_FILE] = "FILE",
	};

	for (size_t i = 0; i < set->count; i++)
	{
		const Option *option = set->entries[i].option;
		char *flag = dashed(option->name);
		char left[64];

		(void) snprintf(left, sizeof left, "--%s %s", flag,
						kinds[option->type]);
		free(flag);
		buf_printf(out, "  %-34s %s", left,
				   option->help != NULL ? option->help : "");
		if (option->is_required)
			buf_append_str(out, " (required)");
		else if (option->fallback != NULL && option->fallback[0] != '\0')
			buf_printf(out, " (%s)", option->fallback);
		buf_append_char(out, '\n');
	}
}

/* ---- sources, weakest first ---- */

static bool
load_defaults(OptionSet *set, Error *err)
{
	for (size_t i = 0; i < set->count; i++)
	{
		Entry *entry = &set->entries[i];

		if (entry->option->fallback != NULL &&
			!set_value(entry, entry->option->fallback, "default", err))
			return error_wrap(err, "default of %s", entry->option->name);
	}
	return true;
}

static bool
load_file(OptionSet *set, Error *err)
{
	Entry *entry = find(set, "config_file", strlen("config_file"));
	const char *path = NULL;

	if (entry == NULL || !option_value_is_set(entry->option, entry->config))
		return true;
	memcpy(&path, (char *) entry->config + entry->option->offset, sizeof path);
	set->path = path;
	return option_file_read(path, load_setting, set, err);
}

static bool
load_setting(void *context, const char *key, const char *value, int line,
			 Error *err)
{
	OptionSet *set = context;
	Entry *entry = find(set, key, strlen(key));
	char source[512];

	if (entry == NULL)
		return error_set(err, "%s: there is no such setting", key);
	if (strcmp(entry->option->name, "config_file") == 0)
		return error_set(err, "%s: may not stand in a file", key);
	if (entry->file_line != 0)
		return error_set(err, "%s: is set in line %d already", key,
						 entry->file_line);

	entry->file_line = line;
	(void) snprintf(source, sizeof source, "%s:%d", set->path, line);
	if (!set_value(entry, value, source, err))
		return error_wrap(err, "%s", key);
	return true;
}

static bool
load_environment(OptionSet *set, char *const *environ_list, const char *only,
				 Error *err)
{
	for (size_t i = 0; i < set->count; i++)
	{
		Entry *entry = &set->entries[i];
		const char *value;
		char *name;
		bool is_good;

		if (only != NULL && strcmp(entry->option->name, only) != 0)
			continue;
		name = variable_name(entry->option->name);
		value = variable(environ_list, name);
		is_good = value == NULL || set_value(entry, value, name, err) ||
				  error_wrap(err, "%s", name);
		free(name);
		if (!is_good)
			return false;
	}
	return true;
}

static bool
load_flags(OptionSet *set, int argc, char *const *argv, const char *only,
		   Error *err)
{
	for (int i = 1; i < argc; i++)
	{
		const char *arg = argv[i];
		size_t len = strcspn(arg, "=");
		const char *value;
		char flag[80];
		Entry *entry;

		if (action_of(arg) != OPTION_RUN)
			continue;
		(void) snprintf(flag, sizeof flag, "%.*s", (int) len, arg);
		entry = len > 2 && arg[0] == '-' && arg[1] == '-'
					? find(set, arg + 2, len - 2)
					: NULL;
		if (entry == NULL)
			return error_set(err, "%s: there is no such flag; see --help",
							 flag);
		value = arg[len] == '=' ? arg + len + 1 : argv[++i];
		if (value == NULL)
			return error_set(err, "%s: needs a value", flag);
		if (only != NULL && strcmp(entry->option->name, only) != 0)
			continue;
		if (!set_value(entry, value, flag, err))
			return error_wrap(err, "%s", flag);
	}
	return true;
}

/* ---- after all sources ---- */

static bool
check_all(OptionSet *set, Error *err)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const Entry *entry = &set->entries[i];
		const char *name = entry->option->name;
		bool is_set = option_value_is_set(entry->option, entry->config);

		if (entry->option->is_required && !is_set)
		{
			char *flag = dashed(name);
			char *var = variable_name(name);

			error_set(err,
					  "%s: is required; set it in the file, as %s or as --%s",
					  name, var, flag);
			free(var);
			free(flag);
			return false;
		}
		if (entry->option->type == OPTION_SECRET_FILE && is_set)
		{
			const char *path;

			memcpy(&path, (char *) entry->config + entry->option->offset,
				   sizeof path);
			if (!secret_file_check(path, err))
			{
				return error_wrap(err, "%s: %s", entry->source, name);
			}
		}
	}
	return true;
}

/* ---- helpers ---- */

/* '-' and '_' are the same. */
static Entry *
find(const OptionSet *set, const char *name, size_t len)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const char *have = set->entries[i].option->name;
		size_t at = 0;

		while (at < len && have[at] != '\0' &&
			   (have[at] == name[at] || (have[at] == '_' && name[at] == '-')))
			at++;
		if (at == len && have[at] == '\0')
			return &set->entries[i];
	}
	return NULL;
}

static bool
set_value(Entry *entry, const char *text, const char *source, Error *err)
{
	if (!option_value_set(entry->option, entry->config, text, err))
		return false;
	free(entry->source);
	entry->source = xstrdup(source);
	return true;
}

static OptionAction
action_of(const char *arg)
{
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
	{
		if (strcmp(arg, actions[i].flag) == 0)
			return actions[i].action;
	}
	return OPTION_RUN;
}

static char *
dashed(const char *name)
{
	char *flag = xstrdup(name);

	for (char *c = flag; *c != '\0'; c++)
		*c = *c == '_' ? '-' : *c;
	return flag;
}

static char *
variable_name(const char *name)
{
	Buf out;

	buf_init(&out);
	buf_append_str(&out, ENV_PREFIX);
	for (; *name != '\0'; name++)
		buf_append_char(&out, (char) toupper((unsigned char) *name));
	return out.data;
}

/* NULL when it is not there, or empty: `${X:-}` in a compose file is none. */
static const char *
variable(char *const *environ_list, const char *name)
{
	size_t len = strlen(name);

	for (; *environ_list != NULL; environ_list++)
	{
		const char *entry = *environ_list;

		if (strncmp(entry, name, len) == 0 && entry[len] == '=' &&
			entry[len + 1] != '\0')
			return entry + len + 1;
	}
	return NULL;
}
