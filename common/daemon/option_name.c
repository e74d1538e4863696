#include "option_name.h"

#include <ctype.h>
#include <string.h>

#include "buf.h"
#include "xalloc.h"

#define ENV_PREFIX "CHEMCHAT_"

bool
option_name_matches(const char *name, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && name[at] != '\0' &&
		   (name[at] == text[at] || (name[at] == '_' && text[at] == '-')))
		at++;
	return at == len && name[at] == '\0';
}

char *
option_flag_name(const char *name)
{
	char *flag = xstrdup(name);

	for (char *c = flag; *c != '\0'; c++)
		*c = *c == '_' ? '-' : *c;
	return flag;
}

char *
option_variable_name(const char *name)
{
	Buf out;

	buf_init(&out);
	buf_append_str(&out, ENV_PREFIX);
	for (; *name != '\0'; name++)
		buf_append_char(&out, (char) toupper((unsigned char) *name));
	return out.data;
}

const char *
option_variable(char *const *environ_list, const char *name)
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
