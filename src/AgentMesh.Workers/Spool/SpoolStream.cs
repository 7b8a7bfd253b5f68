namespace AgentMesh.Workers.Spool;

/// <summary>The streams of an attempt; the numbers stand in files and on the wire.</summary>
public enum SpoolStream : byte
{
    Stdout = 1,
    Stderr = 2,
}
