using System.CommandLine;
using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Node.Control;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Cli.Sec;

/// <summary>sec create, inspect, join: an invitation in a file that a passphrase opens (docs/trust.md).</summary>
internal static class SecVerbs
{
    /// <summary>How long a file counts, and with it how often a kept one is replaced.</summary>
    private static readonly TimeSpan UsualLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromHours(24);

    /// <summary>For how long the file before counts after a kept one was replaced.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    public static Command All(GlobalOptions global) => new("sec", "Pair by a file that only a passphrase opens (docs/trust.md).") { Create(global), Inspect(global), Join(global) };

    private static Option<string?> NewPassphraseFile() => new("--passphrase-file") { Description = "A file whose first line is the passphrase; without it, it is asked for." };

    private static Command Create(GlobalOptions global)
    {
        Option<string?> passphraseFile = NewPassphraseFile();
        var grants = new Option<string[]>("--grant", "--grants") { Description = "What the joining device may do here beside the default: run (start programs).", AllowMultipleArgumentsPerToken = true };
        var to = new Option<string?>("--out") { Description = "The file to write (default: one in the directory sec of the data directory)." };
        var wait = new Option<bool>("--wait") { Description = "Stay until a device has joined, then show its check digits and remove the file." };
        var keep = new Option<string?>("--keep") { Description = "With --wait: write this file, and a new one in its place when its time is over, until one was used." };
        var valid = new Option<TimeSpan?>("--valid") { Description = "How long the file can be used: 1s to 24h (default 10m).", CustomParser = Durations.Parse };
        return global.Verb("create", "Write an invitation into a .sec file: valid once, for 10 minutes if --valid says nothing else.", [passphraseFile, grants, to, valid, wait, keep], async (session, parsed, cancel) =>
        {
            string? kept = parsed.GetValue(keep);
            if (kept is not null && (!parsed.GetValue(wait) || parsed.GetValue(to) is not null))
            {
                throw new MeshException(CliErrors.Usage, "--keep is for --wait, and instead of --out", "for example: agentmesh sec create --wait --keep laptop.sec");
            }

            TimeSpan lifetime = parsed.GetValue(valid) ?? UsualLifetime;
            TimeSpan most = kept is null ? LifetimeMax : LifetimeMax - Grace;
            if (lifetime < TimeSpan.FromSeconds(1) || lifetime > most)
            {
                throw new MeshException(CliErrors.Usage, $"--valid {lifetime}: a .sec file counts for 1 second to {most}", "for example: agentmesh sec create --valid 24h");
            }

            string passphrase = Passphrase.Get(session, parsed.GetValue(passphraseFile), isNew: true);
            using var client = session.Connect();
            var maker = new Maker(session, client, passphrase, parsed.GetValue(grants) ?? [], lifetime, TimeProvider.System);
            string file = kept ?? parsed.GetValue(to) ?? await maker.UsualFileAsync(cancel).ConfigureAwait(false);
            InvitationView made = await maker.WriteAsync(file, kept is null ? TimeSpan.Zero : Grace, cancel).ConfigureAwait(false);
            session.Terminal.Answer(new SecCreatedView(file, made.Id, made.ExpiresAt, made.Grants), SecViewJson.Default.SecCreatedView, file);
            session.Terminal.Hint($"valid once, until {made.ExpiresAt.ToLocalTime():yyyy-MM-dd HH:mm:ss}; bring it to the other device, and there: agentmesh sec join {Path.GetFileName(file)}");
            return parsed.GetValue(wait) ? await maker.WaitAsync(file, made, kept is not null, cancel).ConfigureAwait(false) : 0;
        });
    }

    private static Command Inspect(GlobalOptions global)
    {
        Argument<string> file = new("FILE") { Description = "A .sec file." };
        Option<string?> passphraseFile = new("--passphrase-file") { Description = "Look inside too: a file whose first line is the passphrase." };
        return global.Verb("inspect", "Say what a .sec file is; with its passphrase, whose invitation it holds. Never shows the secret.", [file, passphraseFile], (session, parsed, _) =>
        {
            string path = parsed.GetValue(file)!;
            byte[] bytes = SecDisk.Read(path);
            SecFile sec = SecFile.Read(bytes);
            var view = new SecView(path, bytes.Length, SecFile.Version, SecFile.Algorithm, sec.Iterations);
            if (parsed.GetValue(passphraseFile) is { } secret)
            {
                SecContent content = sec.Open(Passphrase.Get(session, secret, isNew: false));
                Invitation invitation = content.ToInvitation(DateTimeOffset.MinValue);
                view = view with
                {
                    ServerName = invitation.InviterName,
                    ServerId = invitation.Key.Id.ToString(),
                    Invitation = invitation.Secret.Id.ToString(),
                    Addresses = [.. invitation.Addresses.Select(address => address.ToString())],
                    ValidFrom = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(content.ValidFrom, 0, content.ValidUntil)),
                    ValidUntil = invitation.ExpiresAt,
                    Expired = TimeProvider.System.GetUtcNow() >= invitation.ExpiresAt,
                };
            }

            Show(session, view);
            return view.Expired == true ? throw SecContent.Expired($"this .sec file of {view.ServerName} counted until {view.ValidUntil:u}") : Task.FromResult(0);
        });
    }

    private static Command Join(GlobalOptions global)
    {
        Argument<string> file = new("FILE") { Description = "A .sec file that 'agentmesh sec create' made on the other device." };
        Option<string?> passphraseFile = NewPassphraseFile();
        var grants = new Option<string[]>("--grant", "--grants") { Description = "What the inviting device may do here beside the default: run (start programs).", AllowMultipleArgumentsPerToken = true };
        Option<bool> noIntroduce = PairingVerbs.NewNoIntroduce();
        return global.Verb("join", "Join the mesh of the device that made the file.", [file, passphraseFile, grants, noIntroduce], async (session, parsed, cancel) =>
        {
            SecFile sec = SecFile.Read(SecDisk.Read(parsed.GetValue(file)!));
            SecContent content = sec.Open(Passphrase.Get(session, parsed.GetValue(passphraseFile), isNew: false));
            Invitation invitation = content.ToInvitation(TimeProvider.System.GetUtcNow());
            using var client = session.Connect();
            PairingView paired;
            try
            {
                var request = new JoinRequest(Link: invitation.ToLink(), Grants: parsed.GetValue(grants), NoIntroduce: parsed.GetValue(noIntroduce));
                paired = await client.PostAsync("v1/join", request, ControlJson.Default.JoinRequest, ControlJson.Default.PairingView, cancel).ConfigureAwait(false);
            }
            catch (MeshException expired) when (expired.Code == ProtocolErrors.InvitationExpired)
            {
                throw SecContent.Expired($"{invitation.InviterName} says that this .sec file has expired; by what it says itself it counts until {invitation.ExpiresAt:u}, and it is {TimeProvider.System.GetUtcNow():u} here", expired);
            }
            catch (MeshException used) when (used.Code == ProtocolErrors.InvitationUsed)
            {
                throw new MeshException(CliErrors.SecUsed, $"a device has joined {invitation.InviterName} by this .sec file already: it counts once", "have a new one made with 'agentmesh sec create'. If it was not you who used it, revoke that device there: agentmesh devices list", used);
            }

            PairingVerbs.ShowPairing(session, paired, "the other device shows the same digits: 'agentmesh sec create --wait' or 'agentmesh invitations' there; the file is used up");
            return 0;
        });
    }

    private static void Show(Session session, SecView view)
    {
        if (session.Terminal.Json)
        {
            session.Terminal.PrintJson(view, SecViewJson.Default.SecView);
            return;
        }

        TextWriter to = session.Terminal.Out;
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"file        {view.File}, {view.Bytes} bytes"));
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"protection  version {view.Version}, {view.Algorithm}, PBKDF2 with {view.Iterations} iterations"));
        if (view.ServerName is null)
        {
            session.Terminal.Hint("what is inside is shown with --passphrase-file FILE");
            return;
        }

        to.WriteLine($"invites to  {view.ServerName} ({view.ServerId})");
        to.WriteLine($"addresses   {string.Join(", ", view.Addresses!)}");
        to.WriteLine($"invitation  {view.Invitation}");
        to.WriteLine($"valid       {view.ValidFrom!.Value.ToLocalTime():yyyy-MM-dd HH:mm:ss} to {view.ValidUntil!.Value.ToLocalTime():yyyy-MM-dd HH:mm:ss}{(view.Expired == true ? ": expired" : "")}");
    }

    /// <summary>Makes invitations and writes them down, one or, while it waits, one after another.</summary>
    private sealed class Maker(Session session, ControlClient client, string passphrase, string[] grants, TimeSpan lifetime, TimeProvider time)
    {
        public async Task<string> UsualFileAsync(CancellationToken cancel)
        {
            StatusView status = await client.GetAsync("v1/status", ControlJson.Default.StatusView, cancel).ConfigureAwait(false);
            string directory = Path.Combine(session.Settings().DataDirectory, "sec");
            SecDisk.Sweep(directory, time.GetUtcNow());
            return Path.Combine(directory, $"{status.Name}-{time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}{SecDisk.Extension}");
        }

        public async Task<InvitationView> WriteAsync(string file, TimeSpan grace, CancellationToken cancel)
        {
            var request = new InviteRequest(grants, (lifetime + grace).TotalMilliseconds);
            InvitationView made = await client.PostAsync("v1/invitations", request, ControlJson.Default.InviteRequest, ControlJson.Default.InvitationView, cancel).ConfigureAwait(false);
            DateTimeOffset now = time.GetUtcNow();
            SecDisk.Write(file, SecFile.Seal(SecContent.Of(Invitation.Parse(made.Link, now), now, grace), passphrase, SystemEntropy.Instance));
            return made;
        }

        public async Task<int> WaitAsync(string file, InvitationView made, bool isKept, CancellationToken cancel)
        {
            // The one before still counts for a while after it was replaced.
            var ids = new HashSet<string>(StringComparer.Ordinal) { made.Id };
            DateTimeOffset until = made.ExpiresAt;
            try
            {
                while (true)
                {
                    IReadOnlyList<PairingView> pairings = await client.GetAsync("v1/pairings", ControlJson.Default.IReadOnlyListPairingView, cancel).ConfigureAwait(false);
                    if (pairings.FirstOrDefault(pairing => pairing.Invitation is { } by && ids.Contains(by)) is { } joined)
                    {
                        session.Terminal.Answer(joined, ControlJson.Default.PairingView, $"paired with {joined.Name} ({joined.Id[..12]})\ncheck digits: {joined.CheckDigits}");
                        return 0;
                    }

                    if (time.GetUtcNow() >= (isKept ? until - Grace : until))
                    {
                        if (!isKept)
                        {
                            session.Terminal.Note("nobody joined: the file has expired");
                            return CommandRun.MeshFailure;
                        }

                        InvitationView next = await WriteAsync(file, Grace, cancel).ConfigureAwait(false);
                        ids.Add(next.Id);
                        until = next.ExpiresAt;
                        session.Terminal.Note($"{file} is new, valid until {until.ToLocalTime():HH:mm:ss}");
                    }

                    await Task.Delay(LookEvery, time, cancel).ConfigureAwait(false);
                }
            }
            finally
            {
                SecDisk.Remove(file);
            }
        }
    }
}
