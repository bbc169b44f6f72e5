"""The sample project, its change request, and the recorded coding steps that `apm demo` plays."""
