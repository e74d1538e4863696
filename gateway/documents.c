#include "documents.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): names and pieces of a string */
/*
 * The bytes of a file, found from the root of the sources, as symbols `name`
 * and `name_end`.
 */
#define INCLUDE_FILE(name, file)                                               \
	__asm__(".pushsection .rodata\n"                                           \
			".global " #name "\n" #name ":\n.incbin \"" file "\"\n"            \
			".global " #name "_end\n" #name "_end:\n.byte 0\n"                 \
			".popsection\n");                                                  \
	extern const char name[] __attribute__((visibility("hidden")));            \
	extern const char name##_end[] __attribute__((visibility("hidden")))
/* NOLINTEND(bugprone-macro-parentheses) */

INCLUDE_FILE(document_openapi, "docs/openapi.yaml");
INCLUDE_FILE(document_asyncapi, "docs/asyncapi.yaml");
INCLUDE_FILE(document_answer, "schemas/answer.json");
INCLUDE_FILE(document_event, "schemas/event.json");
INCLUDE_FILE(document_frame, "schemas/frame.json");
INCLUDE_FILE(document_problem, "schemas/problem.json");
INCLUDE_FILE(document_request, "schemas/request.json");

#define YAML   "application/yaml"
#define SCHEMA "application/schema+json"

const Document *
document_find(Slice path)
{
	static const struct
	{
		const char *path;
		const char *type;
		const char *begin;
		const char *end;
	} all[] = {
		{ "/openapi.yaml", YAML, document_openapi, document_openapi_end },
		{ "/asyncapi.yaml", YAML, document_asyncapi, document_asyncapi_end },
		{ "/schemas/answer.json", SCHEMA, document_answer,
		  document_answer_end },
		{ "/schemas/event.json", SCHEMA, document_event, document_event_end },
		{ "/schemas/frame.json", SCHEMA, document_frame, document_frame_end },
		{ "/schemas/problem.json", SCHEMA, document_problem,
		  document_problem_end },
		{ "/schemas/request.json", SCHEMA, document_request,
		  document_request_end },
	};
	static Document documents[sizeof(all) / sizeof(all[0])];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
	{
		if (!slice_is(path, all[i].path))
			continue;
		documents[i] = (Document){ all[i].path, all[i].type, all[i].begin,
								   (size_t) (all[i].end - all[i].begin) };
		return &documents[i];
	}
	return NULL;
}
