using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AgentMesh.Shim.Confine;

/// <summary>One instruction of classic BPF: <c>struct sock_filter</c>, 8 bytes.</summary>
internal readonly record struct BpfInstruction(ushort Code, byte IfTrue, byte IfFalse, uint K)
{
    public const int Size = 8;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, Code);
        to[2] = IfTrue;
        to[3] = IfFalse;
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], K);
    }
}

/// <summary>
/// Makes rules into a program for seccomp. It reads <c>struct seccomp_data</c>: the number of the call at 0, the architecture at 4, argument N at 16 + 8 N. Calls of another architecture end the
/// process: their numbers mean something else.
/// </summary>
internal static class SyscallFilter
{
    public const ushort Load = 0x20, And = 0x54, JumpIfEqual = 0x15, JumpIfAtLeast = 0x35, Return = 0x06;
    public const uint Allow = 0x7fff0000, KillProcess = 0x80000000, Fail = 0x00050000;

    private const uint Number = 0, ArchitectureField = 4, Arguments = 16, ArgumentBytes = 8;

    /// <summary>Calls of x64 with addresses of 32 bits have this bit, and else the same numbers.</summary>
    private const uint X32 = 0x40000000;

    private const uint NoSuchCall = 38;

    public static uint AuditNumber(Architecture architecture) => architecture == Architecture.Arm64 ? 0xc00000b7 : 0xc000003e;

    public static BpfInstruction[] Build(Architecture architecture, IEnumerable<FilterRule> rules)
    {
        var program = new List<BpfInstruction>
        {
            new(Load, 0, 0, ArchitectureField),
            new(JumpIfEqual, 1, 0, AuditNumber(architecture)),
            new(Return, 0, 0, KillProcess),
        };
        if (architecture == Architecture.X64)
        {
            program.AddRange([new(Load, 0, 0, Number), new(JumpIfAtLeast, 0, 1, X32), new(Return, 0, 0, Fail | NoSuchCall)]);
        }

        foreach (FilterRule rule in rules)
        {
            Add(program, rule);
        }

        program.Add(new BpfInstruction(Return, 0, 0, Allow));
        return [.. program];
    }

    public static byte[] Bytes(IReadOnlyList<BpfInstruction> program)
    {
        byte[] bytes = new byte[program.Count * BpfInstruction.Size];
        for (int i = 0; i < program.Count; i++)
        {
            program[i].Write(bytes.AsSpan(i * BpfInstruction.Size));
        }

        return bytes;
    }

    /// <summary>Three instructions for the number and each condition at most, then the return: whatever does not hold jumps behind that.</summary>
    private static void Add(List<BpfInstruction> program, FilterRule rule)
    {
        int end = program.Count + 3 + rule.Conditions.Sum(condition => condition.Mask == uint.MaxValue ? 2 : 3);
        program.Add(new BpfInstruction(Load, 0, 0, Number));
        program.Add(new BpfInstruction(JumpIfEqual, 0, ToEnd(), (uint)rule.Number));
        foreach (FilterCondition condition in rule.Conditions)
        {
            program.Add(new BpfInstruction(Load, 0, 0, Arguments + (ArgumentBytes * (uint)condition.Argument)));
            if (condition.Mask != uint.MaxValue)
            {
                program.Add(new BpfInstruction(And, 0, 0, condition.Mask));
            }

            program.Add(condition.IsEqual ? new BpfInstruction(JumpIfEqual, 0, ToEnd(), condition.Value) : new BpfInstruction(JumpIfEqual, ToEnd(), 0, condition.Value));
        }

        program.Add(new BpfInstruction(Return, 0, 0, Fail | (uint)rule.Errno));

        // From behind the jump that is added now.
        byte ToEnd() => checked((byte)(end - program.Count - 1));
    }
}
