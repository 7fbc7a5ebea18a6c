/* Why the last call that failed did so: ENOMEM. No call sets it to 0, and errno is not touched.
 *
 * A program must use the library's variable and not get a copy: hence the attribute. A compiler
 * without it needs -fPIC; the linker complains of a "copy relocation" where that is missing. */
#ifdef __has_attribute
#if __has_attribute(nodirect_extern_access)
__attribute__((nodirect_extern_access))
#endif
#endif
extern int os_errno;
