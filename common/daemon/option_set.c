#include "option_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_file.h"
#include "option_name.h"
#include "option_value.h"
#include "secret_file.h"
#include "xalloc.h"

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
static bool refuse_secret_variables(const OptionSet *set,
									char *const *environ_list, Error *err);
static bool check_all(OptionSet *set, Error *err);
static Entry *find(const OptionSet *set, const char *name, size_t len);
static bool set_value(Entry *entry, const char *text, const char *source,
					  Error *err);
static OptionAction action_of(const char *arg);

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
		   refuse_secret_variables(set, environ_list, err) &&
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
		char *flag = option_flag_name(option->name);
		char left[64];

		(void) snprintf(left, sizeof left, "--%s %s", flag,
						kinds[option->type]);
		free(flag);
		buf_printf(out, "  %-34s %s", left,
				   option->help != NULL ? option->help : "");
		if (option->fallback != NULL && option->fallback[0] != '\0')
			buf_printf(out, " (%s)", option->fallback);
		else if (option->is_required)
			buf_append_str(out, " (required)");
		buf_append_char(out, '\n');
	}
}

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
		name = option_variable_name(entry->option->name);
		value = option_variable(environ_list, name);
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

/*
 * CHEMCHAT_X, where the setting is x_file: somebody gave the secret itself.
 * Everybody who may look at the process sees it; and it would not be used.
 */
static bool
refuse_secret_variables(const OptionSet *set, char *const *environ_list,
						Error *err)
{
	for (size_t i = 0; i < set->count; i++)
	{
		const Option *option = set->entries[i].option;
		size_t len = strlen(option->name);
		bool is_given;
		char *name;

		if (option->type != OPTION_SECRET_FILE || len <= 5 ||
			strcmp(option->name + len - 5, "_file") != 0)
			continue;
		name = option_variable_name(option->name);
		name[strlen(name) - 5] = '\0';
		is_given = option_variable(environ_list, name) != NULL;
		if (is_given)
			error_set(err,
					  "%s: a secret is read from a file only: set %s_FILE to "
					  "its path",
					  name, name);
		free(name);
		if (is_given)
			return false;
	}
	return true;
}

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
			char *flag = option_flag_name(name);
			char *var = option_variable_name(name);

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

static bool
set_value(Entry *entry, const char *text, const char *source, Error *err)
{
	if (!option_value_set(entry->option, entry->config, text, err))
		return false;
	free(entry->source);
	entry->source = xstrdup(source);
	return true;
}

static Entry *
find(const OptionSet *set, const char *name, size_t len)
{
	for (size_t i = 0; i < set->count; i++)
	{
		if (option_name_matches(set->entries[i].option->name, name, len))
			return &set->entries[i];
	}
	return NULL;
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
