public import CBerthModule

/// Serves a folder of files: the handler of an application with `hosting = "static"`.
///
/// Small files come from memory and larger ones from open descriptors, both compared with the disk so that a change is seen
/// after a second at most. Looking at a disk that may be slow is left to the host's pool.
/// Source: IIS StaticFile and DefaultDocument; RFC 9110 §13 and §14.
public enum StaticFiles {
    public static let register: berth_module_register_function = { host, module, failure in
        module.describe("static-files")
        module.pointee.kinds = UInt32(BERTH_KIND_HANDLER)
        module.pointee.create_instance = { host, settings, instance, failure in
            var reader = SettingsReader(settings)
            let made = StaticFilesInstance(host, &reader)
            if let text = reader.failure() { return failure.write(text) }
            instance.pointee = Unmanaged.passRetained(made).toOpaque()
            return 0
        }
        module.pointee.destroy_instance = { instance in
            guard let instance else { return }
            Unmanaged<StaticFilesInstance>.fromOpaque(instance).release()
        }
        module.pointee.create_context = { instance, _, context, failure in
            guard let instance else { return failure.write("the host gave no instance") }
            let made = UnsafeMutablePointer<StaticFilesContext>.allocate(capacity: 1)
            made.initialize(to: StaticFilesContext(Unmanaged.fromOpaque(instance)))
            context.pointee = UnsafeMutableRawPointer(made)
            return 0
        }
        module.pointee.destroy_context = { context in
            guard let context = context?.assumingMemoryBound(to: StaticFilesContext.self) else { return }
            context.pointee.end()
            context.deallocate()
        }
        module.pointee.stages.7 = { context, request in
            guard let context else { return StageAnswer.error }
            return context.assumingMemoryBound(to: StaticFilesContext.self).pointee.execute(request)
        }
        module.pointee.stages.11 = { context, request in
            guard let context else { return StageAnswer.error }
            context.assumingMemoryBound(to: StaticFilesContext.self).pointee.ended(request)
            return StageAnswer.proceed
        }
        module.pointee.resumed = { context, request, event, value in
            guard let context else { return StageAnswer.error }
            return context.assumingMemoryBound(to: StaticFilesContext.self).pointee.resumed(request, event, value)
        }
        module.pointee.tick = { context, _ in
            context?.assumingMemoryBound(to: StaticFilesContext.self).pointee.tick()
        }
        return 0
    }
}
