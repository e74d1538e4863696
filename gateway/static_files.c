#include "static_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etag.h"
#include "xalloc.h"

struct StaticFiles
{
	StaticFile file[STATIC_FILES_MAX];
	int count;
};

static bool load(StaticFiles *files, int folder_fd, const char *name,
				 Error *err);
static const char *type_of(const char *name);
static bool read_all(int fd, char *out, size_t len);

StaticFiles *
static_files_load(const char *folder, Error *err)
{
	StaticFiles *files = xcalloc(1, sizeof(*files));
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool is_loaded = false;

	if (dir == NULL)
	{
		error_set(err, "could not read the folder %s: %s", folder,
				  strerror(errno));
		goto cleanup;
	}
	while ((entry = readdir(dir)) != NULL)
	{
		if (entry->d_name[0] == '.' || type_of(entry->d_name) == NULL)
			continue;
		if (!load(files, dirfd(dir), entry->d_name, err))
			goto cleanup;
	}
	if (static_files_find(files, (Slice){ "/", 1 }) == NULL)
	{
		error_set(err, "no index.html in %s", folder);
		goto cleanup;
	}
	is_loaded = true;

cleanup:
	if (dir != NULL)
		closedir(dir);
	if (!is_loaded)
		static_files_free(&files);
	return files;
}

void
static_files_free(StaticFiles **files_ref)
{
	StaticFiles *files = *files_ref;

	if (files == NULL)
		return;
	*files_ref = NULL;
	for (int i = 0; i < files->count; i++)
	{
		free(files->file[i].path);
		payload_drop(files->file[i].payload);
	}
	free(files);
}

const StaticFile *
static_files_find(const StaticFiles *files, Slice path)
{
	static const Slice index = { "/index.html", 11 };

	if (slice_is(path, "/"))
		path = index;
	for (int i = 0; i < files->count; i++)
	{
		if (slice_is(path, files->file[i].path))
			return &files->file[i];
	}
	return NULL;
}

static bool
load(StaticFiles *files, int folder_fd, const char *name, Error *err)
{
	StaticFile *file = &files->file[files->count];
	struct stat info;
	char *bytes = NULL;
	size_t len;
	int fd = -1;
	bool is_loaded = false;

	if (files->count == STATIC_FILES_MAX)
		return error_set(err, "more than %d files", STATIC_FILES_MAX);
	fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &info) != 0)
	{
		error_set(err, "could not open %s: %s", name, strerror(errno));
		goto cleanup;
	}
	if (!S_ISREG(info.st_mode))
	{
		is_loaded = true; /* a folder that ends in .js: not ours */
		goto cleanup;
	}
	if (info.st_size > STATIC_FILE_BYTES)
	{
		error_set(err, "%s is larger than %d bytes", name, STATIC_FILE_BYTES);
		goto cleanup;
	}
	memset(file, 0, sizeof(*file));
	len = (size_t) info.st_size;
	bytes = xmalloc(len + 1);
	if (!read_all(fd, bytes, len))
	{
		error_set(err, "could not read %s", name);
		goto cleanup;
	}
	file->payload = payload_new(bytes, len);
	file->path = xmalloc(strlen(name) + 2);
	file->path[0] = '/';
	memcpy(file->path + 1, name, strlen(name) + 1);
	file->type = type_of(name);
	etag_of(bytes, len, file->etag);
	files->count++;
	is_loaded = true;

cleanup:
	free(bytes);
	if (fd >= 0)
		close(fd);
	return is_loaded;
}

static const char *
type_of(const char *name)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".webmanifest", "application/manifest+json" },
		{ ".woff2", "font/woff2" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strcmp(types[i][0], dot) == 0)
			return types[i][1];
	}
	return NULL;
}

static bool
read_all(int fd, char *out, size_t len)
{
	while (len > 0)
	{
		ssize_t got = read(fd, out, len);

		if (got <= 0)
			return false;
		out += got;
		len -= (size_t) got;
	}
	return true;
}
