namespace AgentMesh.Protocol.Streams;

/// <summary>What a stream is for; it decides who is sent first. The numbers are on the wire.</summary>
internal enum StreamClass : byte
{
    Control = 0,
    Ordinary = 1,
    Bulk = 2,
}
