#include "verb.h"

#include <string.h>

static bool path_matches(const char *template, Slice path);
static size_t template_len(const char *template);
static const char *query_of(const char *template);
static void note_allowed(const char *method, char *allowed, size_t size);
static void print_verb(const Verb *verb, Buf *out);

int
verb_index(const Verb *verb)
{
	return (int) (verb - verbs);
}

int
verb_arg_count(const Verb *verb)
{
	int count = 0;

	while (verb->args[count].kind != VERB_NONE)
		count++;
	return count;
}

const Verb *
verb_of_type(const char *type)
{
	for (int i = 0; i < verb_count; i++)
	{
		if (verbs[i].type != NULL && strcmp(verbs[i].type, type) == 0)
			return &verbs[i];
	}
	return NULL;
}

const Verb *
verb_of_request(const char *method, Slice path,
				bool (*has_query)(const void *arg, const char *name),
				const void *arg, char *allowed, size_t allowed_size)
{
	const Verb *found = NULL;

	allowed[0] = '\0';
	for (int i = 0; i < verb_count; i++)
	{
		const Verb *verb = &verbs[i];
		const char *needed;

		if (verb->method == NULL || !path_matches(verb->path, path))
			continue;
		note_allowed(verb->method, allowed, allowed_size);
		if (found != NULL || strcmp(verb->method, method) != 0)
			continue;
		needed = query_of(verb->path);
		if (needed == NULL || has_query(arg, needed))
			found = verb;
	}
	return found;
}

int
verb_segment(const Verb *verb, const char *name)
{
	size_t len = strlen(name);
	int segment = -1;

	for (const char *at = verb->path; *at != '\0' && *at != '?'; at++)
	{
		if (*at != '/')
			continue;
		segment++;
		if (at[1] == '{' && strncmp(at + 2, name, len) == 0 &&
			at[2 + len] == '}')
			return segment;
	}
	return -1;
}

void
verb_print_all(Buf *out)
{
	for (int i = 0; i < verb_count; i++)
		print_verb(&verbs[i], out);
}

int
verb_print(FILE *file)
{
	bool is_written;
	Buf out;

	buf_init(&out);
	verb_print_all(&out);
	is_written =
		fwrite(out.data, 1, out.len, file) == out.len && fflush(file) == 0;
	buf_fini(&out);
	return is_written ? 0 : 1;
}

/* Segment by segment; "{name}" takes any that is not empty. */
static bool
path_matches(const char *template, Slice path)
{
	const char *end = template + template_len(template);
	const char *at = path.at;
	const char *path_end = path.at + path.len;

	while (template <end &&at < path_end)
	{
		if (*template != '{')
		{
			if (*template ++ != *at++)
				return false;
			continue;
		}
		if (*at == '/')
			return false;
		while (at < path_end && *at != '/')
			at++;
		template = strchr(template, '}') + 1;
	}
	return template == end && at == path_end;
}

static size_t
template_len(const char *template)
{
	return strcspn(template, "?");
}

static const char *
query_of(const char *template)
{
	const char *mark = strchr(template, '?');

	return mark != NULL ? mark + 1 : NULL;
}

static void
note_allowed(const char *method, char *allowed, size_t size)
{
	const char *at = strstr(allowed, method);
	size_t len = strlen(allowed);

	if (at != NULL)
		return;
	snprintf(allowed + len, size - len, "%s%s%s", len > 0 ? ", " : "", method,
			 strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static void
print_verb(const Verb *verb, Buf *out)
{
	static const char *const kinds[] = { "",     "uuid", "text",  "int",
										 "bool", "time", "uuids", "json" };
	static const char *const places[] = { "body", "path",  "query",
										  "key",  "match", "frame" };
	bool is_first = true;

	buf_append_char(out, '{');
	if (verb->type != NULL)
		buf_printf(out, "\"type\":\"%s\",\"answer\":\"%s\",", verb->type,
				   verb->answer);
	if (verb->method != NULL)
		buf_printf(out, "\"method\":\"%s\",\"path\":\"%.*s\",", verb->method,
				   (int) template_len(verb->path), verb->path);
	buf_printf(out, "\"scope\":\"%s\",\"isWrite\":%s,\"isPublic\":%s,",
			   verb->scope == AUTH_READ     ? "read"
			   : verb->scope == AUTH_SEND   ? "send"
			   : verb->scope == AUTH_MANAGE ? "manage"
											: "",
			   verb->flags & VERB_WRITES ? "true" : "false",
			   verb->flags & VERB_PUBLIC ? "true" : "false");
	buf_append_str(out, "\"arguments\":[");
	for (const VerbArg *arg = verb->args; arg->kind != VERB_NONE; arg++)
	{
		buf_printf(out,
				   "%s{\"name\":\"%s\",\"kind\":\"%s\",\"place\":\"%s\","
				   "\"isRequired\":%s,\"min\":%lld,\"max\":%lld}",
				   is_first ? "" : ",", arg->name, kinds[arg->kind],
				   places[arg->place], arg->is_required ? "true" : "false",
				   (long long) arg->min, (long long) arg->max);
		is_first = false;
	}
	buf_append_str(out, "]}\n");
}
