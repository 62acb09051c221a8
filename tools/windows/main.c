/* main.c: begins the tool on Windows: arguments in UTF-8, with / where a path has \, streams of bytes, a terminal in
 * UTF-8. */
#include <windows.h>
/* windows.h first */
#include <shellapi.h>

#undef main
int onnxrun_main(int argc, char **argv);

static unsigned code_page;
static void restore_terminal(void) { SetConsoleOutputCP(code_page); }

/* NULL: no memory. */
static char *narrow(const wchar_t *wide) {
  const int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
  char *text = malloc(size > 0 ? (size_t)size : 1);
  if (!text) return NULL;
  *text = '\0';
  WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
  for (char *at = text; *at; at++)
    if (*at == '\\') *at = '/';
  return text;
}

int main(void) {
  int argc = 0;
  wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &argc);
  char **argv = calloc((size_t)argc + 1, sizeof(*argv));
  for (int i = 0; wide && argv && i < argc; i++)
    if (!(argv[i] = narrow(wide[i]))) return 5;
  if (!wide || !argv) return 5;
  for (int fd = 0; fd < 3; fd++) (void)_setmode(fd, _O_BINARY);
  code_page = GetConsoleOutputCP();
  if (code_page && SetConsoleOutputCP(CP_UTF8)) atexit(restore_terminal);
  return onnxrun_main(argc, argv);
}
