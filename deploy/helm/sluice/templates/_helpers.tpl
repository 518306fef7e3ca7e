{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "sluice.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sluice.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select: (list $ "router") */}}
{{- define "sluice.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "sluice.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "sluice.labels" -}}
{{- $root := index . 0 -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{- define "sluice.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sluice.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* (list $ .Values.image.router) */}}
{{- define "sluice.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{ $image.repository }}:{{ default $root.Chart.AppVersion $image.tag }}
{{- end -}}

{{- define "sluice.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "sluice.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Seconds from the request to stop to SIGKILL: preStop, the grace, and what closing takes. */}}
{{- define "sluice.terminationSeconds" -}}
{{- add .Values.drain.preStopSeconds .Values.drain.stopGraceSeconds 15 -}}
{{- end -}}

{{/* gRPC health of the whole process; with TLS only the port: (list $ port) */}}
{{- define "sluice.readiness" -}}
{{- $root := index . 0 -}}
{{- if $root.Values.tls.secretName -}}
tcpSocket: {port: {{ index . 1 }}}
{{- else -}}
grpc: {port: {{ index . 1 }}}
{{- end -}}
{{- end -}}

{{/* The configuration file of a role: what the chart needs, and over it what the values say. */}}
{{- define "sluice.routerConfig" -}}
{{- $base := dict
  "server" (dict "host" "0.0.0.0" "port" 9090 "stop-grace" (printf "%ds" (int .Values.drain.stopGraceSeconds)))
  "http" (dict "host" "0.0.0.0" "port" 8080)
  "telemetry" (dict "metrics-host" "0.0.0.0" "metrics-port" 9464)
  "workers" (list (printf "kubernetes:///%s-worker:grpc" (include "sluice.fullname" .))) -}}
{{- toYaml (mergeOverwrite $base (deepCopy .Values.router.config)) -}}
{{- end -}}

{{- define "sluice.workerConfig" -}}
{{- $base := dict
  "server" (dict "host" "0.0.0.0" "port" 9091 "stop-grace" (printf "%ds" (int .Values.drain.stopGraceSeconds)))
  "telemetry" (dict "metrics-host" "0.0.0.0" "metrics-port" 9465)
  "model" (dict "name" .Values.worker.model.name "quantization" .Values.worker.model.quantization)
  "engine" (dict "device" .Values.worker.device) -}}
{{- if .Values.worker.memory -}}
{{- $_ := set $base "memory" .Values.worker.memory -}}
{{- end -}}
{{- toYaml (mergeOverwrite $base (deepCopy .Values.worker.config)) -}}
{{- end -}}
