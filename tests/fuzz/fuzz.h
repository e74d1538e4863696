/*
 * fuzz - what the fuzzers share
 *
 * REQUIRE names what is broken and aborts; it is always on.  fuzz_seed gives
 * the fuzzer an input to start from, when FUZZ_MAKE_CORPUS names the folder
 * for them; a number is one input of one fuzzer.
 */
#ifndef CHEMCHAT_TEST_FUZZ_H
#define CHEMCHAT_TEST_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(what)                                                          \
	do                                                                         \
	{                                                                          \
		if (!(what))                                                           \
		{                                                                      \
			(void) fprintf(stderr, "broken: %s\n", #what);                     \
			abort();                                                           \
		}                                                                      \
	} while (0)

/* libFuzzer's, which has no header for them. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static inline void
fuzz_seed(size_t number, const void *bytes, size_t len)
{
	const char *folder = getenv("FUZZ_MAKE_CORPUS");
	char path[4096];
	FILE *file;

	if (folder == NULL)
		return;
	(void) snprintf(path, sizeof path, "%s/seed-%zu", folder, number);
	file = fopen(path, "we");
	REQUIRE(file != NULL);
	REQUIRE(fwrite(bytes, 1, len, file) == len);
	REQUIRE(fclose(file) == 0);
}

#endif
