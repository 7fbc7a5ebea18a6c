#include "osmem.h"

static char *copy(const char *text, unsigned long length)
{
	char *made = os_malloc(length);

	for (unsigned long i = 0; i <= length; i++)
		made[i] = text[i];
	return made;
}

int main(void)
{
	char *name = copy("heap", 4);
	char *other = copy("stack", 6);

	os_free(name);
	return name[0] == other[0];
}
