#pragma once
#include "CBerthSystem.h"

#define SELF const cberth_system *self
#define UNUSED_SELF (void)self

socklen_t cberth_to_sockaddr(const cberth_endpoint *endpoint, struct sockaddr_storage *storage);
void cberth_from_sockaddr(const struct sockaddr_storage *storage, cberth_address *address);

// spawn.c
int cberth_linux_spawn(SELF, const cberth_spawn_request *request, cberth_spawned *spawned);
int cberth_linux_signal_process(SELF, int pidfd, int signal);
int cberth_linux_signal_group(SELF, int pid, int signal);
int cberth_linux_reap(SELF, int pidfd, cberth_exit *exit);

// processes.c
int cberth_linux_processes(SELF, cberth_process *found, int capacity);
int cberth_linux_process_open(SELF, int32_t pid);
int cberth_linux_process_memory(SELF, int32_t pid, uint64_t *octets);
int cberth_linux_has_environment(SELF, int32_t pid, const char *entry);
int cberth_linux_holds_socket(SELF, int32_t pid, uint64_t inode);
int cberth_linux_tcp_listeners(SELF, uint16_t port, cberth_listener *found, int capacity);
int cberth_linux_unix_listener(SELF, const char *path, uint64_t *inode);

// socket.c
int cberth_linux_listen_on(SELF, const cberth_endpoint *endpoint, int backlog);
int cberth_linux_accept_one(SELF, int listener, cberth_address *peer);
int cberth_linux_connect_to(SELF, const cberth_endpoint *endpoint);
int cberth_linux_connect_lean(SELF, const cberth_endpoint *endpoint, int segment, int receive_buffer);
int cberth_linux_connect_result(SELF, int fd);
int cberth_linux_local_address(SELF, int fd, cberth_address *address);
int cberth_linux_local_endpoint(SELF, int fd, cberth_endpoint *endpoint);
int cberth_linux_peer_credentials(SELF, int fd, cberth_credentials *credentials);
ssize_t cberth_linux_receive(SELF, int fd, void *buffer, size_t capacity);
ssize_t cberth_linux_send(SELF, int fd, const void *octets, size_t count, int more);
ssize_t cberth_linux_send_vector(SELF, int fd, const struct iovec *pieces, int count, int more);
ssize_t cberth_linux_send_file(SELF, int fd, int file, uint64_t offset, size_t count);
int cberth_linux_shut_down_sending(SELF, int fd);
int cberth_linux_set_linger_reset(SELF, int fd);
int cberth_linux_admit_no_more(SELF, int fd);
int cberth_linux_bound_unsent(SELF, int fd, int octets);
int cberth_linux_unsent_octets(SELF, int fd);
int cberth_linux_pipe_create(SELF, int ends[2], int capacity);
ssize_t cberth_linux_splice_in(SELF, int fd, int pipe, size_t count);
ssize_t cberth_linux_splice_out(SELF, int pipe, int fd, size_t count, int more);

// files.c
int cberth_linux_open_append(SELF, const char *path, uint32_t mode);
int cberth_linux_open_read(SELF, const char *path);
int cberth_linux_open_directory(SELF, const char *path);
int cberth_linux_open_beneath(SELF, int directory, const char *path, uint32_t flags);
int cberth_linux_file_status(SELF, int fd, cberth_file_status *status);
ssize_t cberth_linux_read_at(SELF, int fd, void *buffer, size_t count, uint64_t offset);
ssize_t cberth_linux_read_some(SELF, int fd, void *buffer, size_t count);
ssize_t cberth_linux_write_some(SELF, int fd, const void *octets, size_t count);
int cberth_linux_make_directory(SELF, const char *path, uint32_t mode);
int cberth_linux_remove_file(SELF, const char *path);
int cberth_linux_change_mode(SELF, const char *path, uint32_t mode);
int cberth_linux_change_owner(SELF, const char *path, uint32_t user, uint32_t group);
int cberth_linux_watch_create(SELF);
int cberth_linux_watch_directory(SELF, int watch, const char *path);
int cberth_linux_watch_remove(SELF, int watch, int number);
int cberth_linux_close(SELF, int fd);
