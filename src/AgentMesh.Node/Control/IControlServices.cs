namespace AgentMesh.Node.Control;

/// <summary>What the node does for people; every door (control API, later the gateway and the dashboard) calls this and nothing else.</summary>
internal interface IControlServices
{
    Task<StatusView> StatusAsync(CancellationToken cancellationToken);

    Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellationToken);

    Task<DiagnosticsView> DiagnosticsAsync();

    Task<ConfigView> ConfigAsync();

    /// <summary>Devices paired since the node started, newest first.</summary>
    Task<IReadOnlyList<PairingView>> PairingsAsync();

    Task<IReadOnlyList<InvitationStateView>> InvitationsAsync();

    Task<InvitationView> InviteAsync(InviteRequest request);

    Task<PairingView> JoinAsync(JoinRequest request, CancellationToken cancellationToken);

    /// <exception cref="Errors.MeshException">AM0202, AM0203, AM0232.</exception>
    Task<SettingView> SetAsync(SetRequest request);

    /// <summary>The way to the control API of another device.</summary>
    /// <exception cref="Errors.MeshException">AM0179, AM0189 to AM0193, AM0302 to AM0304.</exception>
    Task<Transport.IMeshStream> OpenControlAsync(string device, CancellationToken cancellationToken);

    Task<PeerView> GrantAsync(GrantRequest request);

    Task<PeerView> RenameAsync(RenameRequest request);

    Task<ForgottenView> ForgetAsync(ForgetRequest request);

    /// <summary>The devices of the mesh, then those that are revoked.</summary>
    Task<IReadOnlyList<DeviceView>> DevicesAsync();

    Task<DeviceView> DeviceAsync(string peer);

    Task<RevokedView> RevokeAsync(RevokeRequest request, CancellationToken cancellationToken);

    /// <summary>Connections with other devices, newest first.</summary>
    /// <param name="peer">Null for everybody.</param>
    Task<IReadOnlyList<ConnectionView>> HistoryAsync(string? peer, int most);

    /// <summary>Gives this device another key; the node is to be started again after it.</summary>
    Task<RotatedView> RotateKeyAsync(RotateKeyRequest request);

    /// <summary>The node ends as with <see cref="Shutdown"/> and starts again in the same process.</summary>
    void Restart();

    /// <summary>Gives the key of this device up; the node is to be shut down after it.</summary>
    Task<CompromisedView> CompromisedAsync();

    Task<PeerView> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken);

    IAsyncEnumerable<PingEvent> PingAsync(PingRequest request, CancellationToken cancellationToken);

    /// <summary>A capture file (pcapng) of what the sockets of this device send and receive, until the token ends it.</summary>
    IAsyncEnumerable<byte[]> TraceAsync(int snapBytes, CancellationToken cancellationToken);

    IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, CancellationToken cancellationToken);

    Task<JobPage> JobsAsync(JobFilter filter, int limit, string? before, CancellationToken cancellationToken);

    Task<JobView> JobAsync(string id, CancellationToken cancellationToken);

    Task<JobView> CancelAsync(string id, CancellationToken cancellationToken);

    /// <summary>The events of a job, the oldest first.</summary>
    Task<IReadOnlyList<JobEventView>> JobHistoryAsync(string id, CancellationToken cancellationToken);

    /// <param name="fromStart">Without the checkpoint that an earlier attempt left.</param>
    Task<JobView> RetryAsync(string id, bool fromStart, CancellationToken cancellationToken);

    /// <summary>Removes ended jobs now.</summary>
    Task<PrunedView> PruneAsync(string? home, double? beforeMs, bool isDry, CancellationToken cancellationToken);

    IAsyncEnumerable<OutputView> OutputAsync(OutputQuery query, CancellationToken cancellationToken);

    IAsyncEnumerable<CommandEvent> PipeAsync(PipeRequest request, CancellationToken cancellationToken);

    Task<IInputSession> OpenInputAsync(string job, CancellationToken cancellationToken);

    Task<IReadOnlyList<AuditView>> AuditAsync(int limit, string? peer, DateTimeOffset since, string? outcome, CancellationToken cancellationToken);

    Task<ArrayView> SubmitArrayAsync(ArrayRequest request, CancellationToken cancellationToken);

    Task<ArrayView> ArrayAsync(string id, CancellationToken cancellationToken);

    Task<ArrayElementPage> ElementsAsync(string id, int from, int limit, bool failed, CancellationToken cancellationToken);

    Task<ArrayView> CancelArrayAsync(string id, CancellationToken cancellationToken);

    Task<ArrayView> RetryArrayAsync(string id, CancellationToken cancellationToken);

    Task<IReadOnlyList<ArtifactView>> ArtifactsAsync(string? job, string? home, int limit, CancellationToken cancellationToken);

    /// <summary>The stream is the caller's.</summary>
    Task<(ArtifactView View, Stream Content)> OpenArtifactAsync(string name, string? home, CancellationToken cancellationToken);

    Task<ArtifactView> PutArtifactAsync(string name, string? home, Stream content, CancellationToken cancellationToken);

    Task<ArtifactView> RemoveArtifactAsync(string name, string? home, CancellationToken cancellationToken);

    Task<WorkflowView> SubmitWorkflowAsync(WorkflowRequest request, CancellationToken cancellationToken);

    Task<IReadOnlyList<WorkflowView>> WorkflowsAsync(string? home, string? state, int limit, CancellationToken cancellationToken);

    Task<WorkflowView> WorkflowAsync(string id, CancellationToken cancellationToken);

    /// <param name="action">pause, resume, retry, skip or cancel.</param>
    Task<WorkflowView> ChangeWorkflowAsync(string id, Mesh.Workflows.WorkflowAction action, string? step, CancellationToken cancellationToken);

    Task<WorkflowView> EditStepAsync(string id, string step, StepEditRequest request, CancellationToken cancellationToken);

    Task<WorkflowView> ForkWorkflowAsync(string id, ForkRequest request, CancellationToken cancellationToken);

    Task<IReadOnlyList<GroupView>> GroupsAsync(CancellationToken cancellationToken);

    Task<GroupView> GroupAsync(string name, string? home, CancellationToken cancellationToken);

    Task<GroupView> SetGroupAsync(GroupRequest request, CancellationToken cancellationToken);

    Task<GroupRemovedView> RemoveGroupAsync(string name, string? home, CancellationToken cancellationToken);

    Task<IReadOnlyList<CronView>> CronsAsync(CancellationToken cancellationToken);

    Task<CronView> AddCronAsync(CronRequest request, CancellationToken cancellationToken);

    /// <summary>Reads CRON.md again.</summary>
    Task<CronFileView> ReloadCronsAsync(CancellationToken cancellationToken);

    Task<CronView> CronAsync(string name, CancellationToken cancellationToken);

    Task<CronView> EnableCronAsync(string name, bool enabled, CancellationToken cancellationToken);

    Task<JobView> RunCronAsync(string name, CancellationToken cancellationToken);

    Task<CronBackfillView> BackfillCronAsync(string name, BackfillRequest request, CancellationToken cancellationToken);

    Task<CronRemovedView> RemoveCronAsync(string name, CancellationToken cancellationToken);

    /// <param name="endPrograms">Ends running programs that would go on without the node.</param>
    void Shutdown(bool endPrograms);
}
