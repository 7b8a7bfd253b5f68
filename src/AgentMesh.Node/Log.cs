using System.Net;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node;

/// <summary>Every log line of the node, with its id.</summary>
internal static partial class Log
{
    [LoggerMessage(2001, LogLevel.Information, "generation {Number} is a member with {Members}")]
    public static partial void Joined(ILogger log, int number, string members);

    [LoggerMessage(2002, LogLevel.Information, "generation {Number} ends: {Reason}")]
    public static partial void StartsOver(ILogger log, int number, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "could not join {Devices} in time; this device begins a cluster of its own")]
    public static partial void CouldNotJoin(ILogger log, string devices);

    [LoggerMessage(2025, LogLevel.Error, "generation {Number} failed; another is begun")]
    public static partial void GenerationFailed(ILogger log, int number, Exception error);

    [LoggerMessage(2004, LogLevel.Information, "paired with {Name} ({Device}), check digits {Digits}")]
    public static partial void Paired(ILogger log, string name, string device, string digits);

    [LoggerMessage(2030, LogLevel.Warning, "somebody at {Address} tried a wrong pairing code; another one takes its place")]
    public static partial void WrongCode(ILogger log, string address);

    [LoggerMessage(2005, LogLevel.Warning, "ended {Count} program groups that an earlier run left behind")]
    public static partial void Swept(ILogger log, int count);

    [LoggerMessage(2012, LogLevel.Information, "took over {Running} running programs and {Ended} that have ended")]
    public static partial void TakenOver(ILogger log, int running, int ended);

    [LoggerMessage(2013, LogLevel.Warning, "agentmesh-shim is not in {Directory}: programs of jobs end with this node")]
    public static partial void NoShim(ILogger log, string directory);

    [LoggerMessage(2041, LogLevel.Information, "programs have cgroups in {Directory} ({Controllers})")]
    public static partial void Cgroups(ILogger log, string directory, string controllers);

    [LoggerMessage(2006, LogLevel.Error, "{What} failed")]
    public static partial void Failed(ILogger log, string what, Exception error);

    [LoggerMessage(2007, LogLevel.Information, "listening on UDP {Local}; buffers of {Received} and {Sent} bytes granted ({Asked} asked); sends in batches: {SendsBatches}, receives in batches: {ReceivesBatches}")]
    public static partial void Listens(ILogger log, IPEndPoint local, int received, int sent, int asked, bool sendsBatches, bool receivesBatches);

    [LoggerMessage(2008, LogLevel.Information, "{File}: {Changed} schedules added or changed, {Removed} removed, {Same} as before")]
    public static partial void CronFileTaken(ILogger log, string file, int changed, int removed, int same);

    [LoggerMessage(2009, LogLevel.Warning, "{File}: {Problem}")]
    public static partial void CronFileProblem(ILogger log, string file, string problem);

    [LoggerMessage(2010, LogLevel.Information, "{Jobs} ended jobs, {Arrays} arrays and {Workflows} workflows of {Home} are over what is retained, and removed")]
    public static partial void JobsRemoved(ILogger log, int jobs, int arrays, int workflows, string home);

    [LoggerMessage(2011, LogLevel.Information, "ended jobs of {Home} stay for now: {Reason}")]
    public static partial void JobsNotRemoved(ILogger log, string home, string reason);

    [LoggerMessage(2020, LogLevel.Warning, "devices on the local network cannot find this one: {Reason}; agentmesh.discovery.lan.port chooses another port, the same on every device")]
    public static partial void LanUnusable(ILogger log, string reason);

    [LoggerMessage(2060, LogLevel.Information, "this device has another key from now on, {Fingerprint}; the one before is destroyed")]
    public static partial void KeyChanged(ILogger log, string fingerprint);

    [LoggerMessage(2061, LogLevel.Warning, "the change of this device's key was interrupted and goes on: it waits until another device has heard of the next key")]
    public static partial void KeyChangeGoesOn(ILogger log);

    [LoggerMessage(2027, LogLevel.Warning, "the secrets of all sessions are written to {Path}: whoever has it reads what they carry")]
    public static partial void KeyLogOn(ILogger log, string path);

    [LoggerMessage(2021, LogLevel.Debug, "{Device} announced itself at {Address}")]
    public static partial void Announced(ILogger log, string device, IPEndPoint address);

    [LoggerMessage(2060, LogLevel.Warning, "this device is not shown by mDNS: {Reason}")]
    public static partial void MdnsUnusable(ILogger log, string reason);

    [LoggerMessage(2061, LogLevel.Debug, "a service of mDNS says that {Device} is at {Address}")]
    public static partial void FoundByMdns(ILogger log, string device, IPEndPoint address);

    [LoggerMessage(2062, LogLevel.Debug, "the DHT keeps for {Stored} of {Devices} devices where this one is; {Nodes} nodes are known")]
    public static partial void DhtPublished(ILogger log, int stored, int devices, int nodes);

    [LoggerMessage(2063, LogLevel.Information, "found {Device} over the DHT at {Address}")]
    public static partial void FoundByDht(ILogger log, string device, IPEndPoint address);

    [LoggerMessage(2064, LogLevel.Warning, "the name {Host} is not resolved: where it answered last is used, {Addresses}")]
    public static partial void NameRemembered(ILogger log, string host, string addresses);

    [LoggerMessage(2067, LogLevel.Warning, "{Code}: {By} introduces {Name} ({Device}) and may not here; to let it: agentmesh grant {By} introduce")]
    public static partial void IntroductionRefused(ILogger log, string code, string by, string name, string device);

    [LoggerMessage(2068, LogLevel.Error, "{Code}: {Problem}; {Next}")]
    public static partial void OwnKeyForked(ILogger log, string code, string problem, string next);

    [LoggerMessage(2069, LogLevel.Information, "told who came with the key {Key}, which does not count any more, that another one claims to come after it: {Answer}")]
    public static partial void ToldOfKey(ILogger log, string key, string answer);

    [LoggerMessage(2065, LogLevel.Information, "the name {Host} is resolved again")]
    public static partial void NameResolved(ILogger log, string host);

    [LoggerMessage(2066, LogLevel.Warning, "AM0187: {Count} entries of {File} cannot be read and are left out; the file is kept as {Copy}")]
    public static partial void MemoryDamaged(ILogger log, int count, string file, string copy);

    [LoggerMessage(2022, LogLevel.Information, "registered with the beacon {Beacon}, seen there at {Address}")]
    public static partial void BeaconFound(ILogger log, string beacon, IPEndPoint address);

    [LoggerMessage(2027, LogLevel.Warning, "the identity before was given up: this device has a new one; the data of the old one is in {Directory}")]
    public static partial void NewIdentity(ILogger log, string directory);

    [LoggerMessage(2026, LogLevel.Warning, "{Name} ({Device}) is revoked by {By}: its connections and attempts end")]
    public static partial void Revoked(ILogger log, string name, string device, string by);

    [LoggerMessage(2024, LogLevel.Information, "the path to {Device} is {Path}, {Place}")]
    public static partial void PathIs(ILogger log, string device, string path, string place);

    [LoggerMessage(2038, LogLevel.Information, "registered with the beacon {Beacon} over a WebSocket: it does not answer by UDP, which is tried again from time to time")]
    public static partial void BeaconFoundByWebSocket(ILogger log, string beacon);

    [LoggerMessage(2040, LogLevel.Information, "{Protocol}: the gateway {Gateway} passes on {External} to this device for {Lifetime}")]
    public static partial void GatewayMapped(ILogger log, string protocol, IPAddress gateway, IPEndPoint external, TimeSpan lifetime);

    [LoggerMessage(2041, LogLevel.Information, "the gateway {Gateway} maps no port for this device: {Reasons}")]
    public static partial void GatewayMapsNot(ILogger log, IPAddress gateway, string reasons);

    [LoggerMessage(2042, LogLevel.Information, "the TURN server {Server} passes on {Address} to this device")]
    public static partial void TurnHeld(ILogger log, string server, string address);

    [LoggerMessage(2043, LogLevel.Warning, "the TURN server {Server} gives no address: {Reason}")]
    public static partial void TurnLost(ILogger log, string server, string reason);

    [LoggerMessage(2039, LogLevel.Information, "{Device} is reached by way of {Relay}, a device of this mesh")]
    public static partial void RelayedByPeer(ILogger log, string device, string relay);

    [LoggerMessage(2023, LogLevel.Warning, "not registered with the beacon {Beacon}: {Reason}")]
    public static partial void BeaconLost(ILogger log, string beacon, string reason);

    [LoggerMessage(2064, LogLevel.Warning, "{Code}: {Count} invitations in {File} are not readable and invite nobody; make new ones with 'agentmesh invite'")]
    public static partial void InvitationsIgnored(ILogger log, string code, int count, string file);

    [LoggerMessage(2065, LogLevel.Error, "{Code}: the use of an invitation is not on disk: {Problem}")]
    public static partial void InvitationNotTaken(ILogger log, string code, string problem);
}
