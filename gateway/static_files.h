/*
 * static_files - the web client, in memory
 *
 * Reads the files of one folder at start (no subfolders; .html .css .js .svg
 * .png .ico .webmanifest .woff2), and answers by exact path: what is not in
 * the list does not exist, so no path can lead out of it.  "/" is index.html.
 *
 * Reading the folder blocks, at start only.  Any thread afterwards.
 */
#ifndef CHEMCHAT_STATIC_FILES_H
#define CHEMCHAT_STATIC_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "etag.h"
#include "payload.h"
#include "slice.h"

#define STATIC_FILES_MAX  64
#define STATIC_FILE_BYTES (4 * 1024 * 1024)

typedef struct StaticFiles StaticFiles;

typedef struct StaticFile
{
	char *path; /* "/app.js" */
	const char *type;
	char etag[ETAG_SIZE];
	Payload *payload; /* the file's bytes */
} StaticFile;

StaticFiles *static_files_load(const char *folder, Error *err) MUST_CHECK;
void static_files_free(StaticFiles **files);
const StaticFile *static_files_find(const StaticFiles *files, Slice path);

#endif
